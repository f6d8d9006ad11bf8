/** The summary at the end of a test run, checked on real vitest runs over generated files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type CommandResult, run } from '../harness/command.ts'

const VITEST = new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).pathname
const REPORTER = new URL('../harness/summary-reporter.ts', import.meta.url).pathname

async function runOf(files: Record<string, string>): Promise<CommandResult> {
  const root = await mkdtemp(join(tmpdir(), 'summary-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const reporters = ['default', REPORTER]
  const test = { name: 'sample', globals: true, retry: 1, include: ['*.test.js'], reporters }
  await writeFile(join(root, 'vitest.config.mjs'), `export default ${JSON.stringify({ test })}`)
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  return run(process.execPath, [VITEST, 'run', '--root', root], { cwd: root })
}

function lastLines(result: CommandResult, count: number): string[] {
  return result.stdout.trimEnd().split('\n').slice(-count)
}

it('names each test that needed a second try and how the first one failed, before the last line', async () => {
  const result = await runOf({
    'some.test.js': `
      const tries = { suite: 0, never: 0 }
      it('passes at once', () => {})
      it.skip('is not run', () => {})
      describe('of a suite', () => {
        it('passes at last', () => { if ((tries.suite += 1) === 1) throw new Error('the first\\nof both') })
      })
      it('never passes', () => { throw new Error('try ' + (tries.never += 1)) })
    `,
  })
  expect(lastLines(result, 8)).toEqual([
    'Tests that needed a second try (2):',
    '  sample some.test.js > of a suite > passes at last: passed after',
    '      the first',
    '      of both',
    '  sample some.test.js > never passes: failed after',
    '      try 1',
    '',
    '1 passed, 2 failed, 1 skipped',
  ])
  expect(result.code).toBe(1)
})

it('counts a test that passed at its second try as failed', async () => {
  const result = await runOf({
    'flaky.test.js': `let tries = 0; it('passes at last', () => { if ((tries += 1) === 1) throw new Error('once') })`,
  })
  expect(lastLines(result, 1)).toEqual(['0 passed, 1 failed, 0 skipped'])
  expect(result.code).toBe(1)
})

it('counts hooks and files that fail, and says nothing of second tries where there were none', async () => {
  const result = await runOf({
    'hook.test.js': `beforeAll(() => { throw new Error('no') }); it('waits', () => {})`,
    'file.test.js': `throw new Error('no')`,
    'good.test.js': `it('passes', () => {})`,
  })
  expect(lastLines(result, 1)).toEqual(['1 passed, 2 failed, 1 skipped'])
  expect(result.stdout).not.toContain('second try')
  expect(result.code).toBe(1)
})
