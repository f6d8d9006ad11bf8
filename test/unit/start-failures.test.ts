import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { StartFailures } from '../../src/primary/supervisor/start-failures.ts'
import { startFailure } from '../../src/worker/start-failure.ts'

function failures(workers: number) {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(String(JSON.parse(line).msg)) })
  let now = 0
  const all = new StartFailures({ workers, logger, now: () => now })
  const fail = (reason: string) => all.note({ worker: 'w1', reason, isApp: true, stack: reason })
  return { fail, lines, forget: () => all.forget(), pass: (ms: number) => (now += ms) }
}

describe('failures of workers as they start', () => {
  const FULL = 'the application could not be started'

  it('are told once, summed up when all workers have failed, and then now and then', () => {
    const { fail, lines, pass } = failures(4)
    for (let time = 0; time < 9; time += 1) fail('broken')
    expect(lines).toEqual([FULL, 'the same error in 3 more workers'])
    pass(60_000)
    fail('broken')
    expect(lines.slice(2)).toEqual(['the same error in 6 more workers'])
  })

  it('are told again when they differ, or after a worker has started', () => {
    const { fail, lines, forget } = failures(2)
    fail('broken')
    fail('broken in another way')
    fail('broken in another way')
    forget()
    fail('broken in another way')
    expect(lines).toEqual([FULL, FULL, 'the same error in 1 more worker', FULL])
  })
})

describe('what is told of a failure', () => {
  it('has the stacks of the causes, and the first place outside Node.js', () => {
    const cause = new Error('no database')
    const error = new Error('no start', { cause })
    error.stack = `Error: no start\n    at run (node:internal/x:1:2)\n    at start (file:///app/my%20app.js:3:7)`
    const told = startFailure(error, true)
    expect(told).toMatchObject({ isApp: true, at: '/app/my app.js:3:7' })
    expect(told.stack).toContain('caused by: Error: no database')
    expect(startFailure('a text', false)).toEqual({ isApp: false, stack: 'a text' })
    expect(startFailure(new Error('x'.repeat(50_000)), true).stack).toHaveLength(20_000)
  })

  it.each([
    [
      { code: 'ERR_MODULE_NOT_FOUND' },
      "Cannot find package 'left-pad' imported from /app/a.js",
      /npm install left-pad$/,
    ],
    [
      { code: 'ERR_MODULE_NOT_FOUND' },
      "Cannot find module '/app/b' imported from /app/a.js",
      /full file name/,
    ],
    [{}, 'Cannot use import statement outside a module', /"type": "module"/],
    [{}, 'require is not defined in ES module scope, you can use import instead', /\.cjs/],
    [{}, 'anything else', undefined],
  ])('has advice where there is some: %j %s', (fields, message, advice) => {
    const told = startFailure(Object.assign(new Error(message), fields), true)
    if (advice === undefined) expect(told.advice).toBeUndefined()
    else expect(told.advice).toMatch(advice)
  })
})
