import { spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { banner } from '../../src/ops/banner.ts'
import { collectAnswers } from '../../src/ops/collect.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'

describe('answers of workers', () => {
  it('are collected without those that fail or do not answer in time', async () => {
    const questions = new Map<string, () => Promise<number>>([
      ['w1', () => Promise.resolve(1)],
      ['w2', () => Promise.reject(new Error('gone'))],
      ['w3', () => new Promise(() => undefined)],
    ])
    const { answered, missing } = await collectAnswers(questions, 20)
    expect([...answered]).toEqual([['w1', 1]])
    expect(missing).toEqual(['w2', 'w3'])
  })

  it('do not wait for the deadline when all have answered', async () => {
    const questions = new Map([['w1', () => Promise.resolve(1)]])
    const { missing } = await collectAnswers(questions, 2 ** 30)
    expect(missing).toEqual([])
  })

  it('that come after the deadline change nothing', async () => {
    const worker = new EventEmitter()
    const late = once(worker, 'answer')
    const { answered, missing } = await collectAnswers(new Map([['w1', () => late]]), 1)
    worker.emit('answer', 1)
    await late
    expect([answered.size, missing]).toEqual([0, ['w1']])
  })
})

describe('the banner', () => {
  it('shows addresses that can be opened', () => {
    const { config } = loadConfig({ env: { WORKERS: '3', ADMIN_HOST: '::1' } })
    const text = banner(config, { port: 8080, adminPort: 1 })
    expect(text).toContain('http://localhost:8080/')
    expect(text).toContain('http://[::1]:1/')
  })
})

describe('exit codes', () => {
  it('are distinct, and match the documents', () => {
    const codes = Object.values(exitCodes).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    for (const { code, meaning } of Object.values(exitCodes)) {
      expect(page).toContain(`| ${code} | ${meaning} |`)
    }
  })
})

/** Runs `body` in its own process, which has `createLogger`. @returns its standard output */
function outputOf(body: string): string {
  const loggerFile = new URL('../../dist/ops/logger.js', import.meta.url).href
  const program = `import { createLogger } from '${loggerFile}'\n${body}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', program]).stdout.toString()
}

describe('the log of a process', () => {
  it('has its last lines even when the process exits or crashes right after them', () => {
    const many = `const logger = createLogger({ level: 'info', format: 'json' })
      for (let i = 0; i < 2000; i++) logger.info({ i }, 'x'.repeat(100))`
    for (const end of [
      'process.exit(0)',
      'throw new Error("crash")',
      'process.kill(process.pid, "SIGKILL")',
    ]) {
      const lines = outputOf(`${many}\n${end}`).trim().split('\n')
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ i: 1999, level: 'info' })
    }
  })

  it('is JSON without a terminal, and readable without colours when requested', () => {
    expect(
      JSON.parse(outputOf(`createLogger({ level: 'info', format: 'auto' }).info('hello')`)),
    ).toMatchObject({
      msg: 'hello',
    })
    const pretty = outputOf(`createLogger({ level: 'info', format: 'pretty' }).info('hello')`)
    expect(pretty).toMatch(/^\[.*\] INFO: hello\n$/)
  })
})
