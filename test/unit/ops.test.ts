import { spawn, spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { banner } from '../../src/ops/banner.ts'
import { collectAnswers } from '../../src/ops/collect.ts'
import { ExitError, exitCodes } from '../../src/ops/exit-codes.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { claimDataDir, runningPid } from '../../src/ops/pid-file.ts'

const logger = createLogger({ level: 'silent', format: 'json' })

describe('the pid file', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'rookery-pid-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  const pidFile = () => join(dataDir, 'rookery.pid')

  it('is created with its directory, names the process, and is removed on release', () => {
    const nested = join(dataDir, 'a', 'b')
    const claim = claimDataDir(nested, logger)
    expect(readFileSync(join(nested, 'rookery.pid'), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`))
    claim.release()
    claim.release()
    expect(runningPid(nested)).toBeUndefined()
  })

  it('blocks a second process while the first lives, also after a SIGKILL that leaves the file', async () => {
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'])
    await once(holder.stdout, 'data')
    writeFileSync(pidFile(), `${holder.pid}\n`)
    expect(runningPid(dataDir)).toBe(holder.pid)
    expect(() => claimDataDir(dataDir, logger)).toThrow(`is used by the Rookery with pid ${holder.pid}`)

    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(runningPid(dataDir)).toBeUndefined()
    claimDataDir(dataDir, logger).release()
  })

  it('gets a directory that is closed to others, and a warning if it is open', () => {
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const watched = createLogger({ level: 'warn', format: 'json', stream })
    const made = join(dataDir, 'made')
    claimDataDir(made, watched).release()
    expect(statSync(made).mode & 0o777).toBe(0o700)
    expect(lines).toEqual([])
    chmodSync(made, 0o750)
    claimDataDir(made, watched).release()
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ dataDir: made, mode: '750' }])
  })

  it('does not mistake a process for an earlier one with the same pid', () => {
    writeFileSync(pidFile(), `${process.ppid}\n`)
    expect(runningPid(dataDir)).toBe(process.ppid)
    writeFileSync(pidFile(), `${process.ppid}\n1\n`)
    expect(runningPid(dataDir)).toBeUndefined()
  })

  it.each(['', 'x', '0', '-1', '99999999999', '1 2', '\0'])('is ignored when it holds %j', (content) => {
    writeFileSync(pidFile(), content)
    expect(runningPid(dataDir)).toBeUndefined()
  })

  it('reports the right exit code when the directory cannot be used', () => {
    writeFileSync(join(dataDir, 'file'), '')
    try {
      claimDataDir(join(dataDir, 'file', 'data'), logger)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(ExitError)
      expect((error as ExitError).exitCode).toBe(exitCodes.dataDirectory.code)
    }
  })
})

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
