import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Claim } from '../../src/ops/claim.ts'
import { claimDataDir } from '../../src/ops/data-dir.ts'
import { ExitError, exitCodes } from '../../src/ops/exit-codes.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { runningPid } from '../../src/ops/pid-file.ts'

const logger = createLogger({ level: 'silent', format: 'json' })

let dataDir: string
const claims: { release(): void }[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rookery-pid-'))
})

afterEach(() => {
  for (const claim of claims.splice(0)) claim.release()
  rmSync(dataDir, { recursive: true, force: true })
})

const pidFile = () => join(dataDir, 'rookery.pid')
const claimFiles = () => readdirSync(dataDir).filter((name) => name.startsWith('claim-'))

async function claimed(directory = dataDir) {
  const claim = await claimDataDir(directory, logger)
  claims.push(claim)
  return claim
}

async function taken(): Promise<Claim> {
  const claim = await Claim.take(dataDir)
  claims.push(claim)
  return claim
}

async function refusal(promise: Promise<unknown>): Promise<ExitError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ExitError)
  return error as ExitError
}

/** A Node.js process that has printed something, from `code`. */
async function running(code: string) {
  const child = spawn(process.execPath, ['-e', code])
  await once(child.stdout, 'data')
  return child
}

describe('the pid file', () => {
  it('is created with its directory, names the process, and is removed on release', async () => {
    const nested = join(dataDir, 'a', 'b')
    const claim = await claimed(nested)
    expect(readFileSync(join(nested, 'rookery.pid'), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`))
    claim.release()
    claim.release()
    expect(runningPid(nested)).toBeUndefined()
    expect(readdirSync(nested)).toEqual([])
  })

  it('blocks a second process while the first lives, also after a SIGKILL that leaves the file', async () => {
    const holder = await running('setInterval(() => {}, 1000); console.log(1)')
    writeFileSync(pidFile(), `${holder.pid}\n`)
    expect(runningPid(dataDir)).toBe(holder.pid)
    const { message } = await refusal(claimed())
    expect(message).toContain(`is used by the Rookery with pid ${holder.pid}`)

    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(runningPid(dataDir)).toBeUndefined()
    await claimed()
  })

  it('gets a directory that is closed to others, and a warning if it is open', async () => {
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const watched = createLogger({ level: 'warn', format: 'json', stream })
    const made = join(dataDir, 'made')
    ;(await claimDataDir(made, watched)).release()
    expect(statSync(made).mode & 0o777).toBe(0o700)
    expect(lines).toEqual([])
    chmodSync(made, 0o750)
    ;(await claimDataDir(made, watched)).release()
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

  it('reports the right exit code when the directory cannot be used', async () => {
    writeFileSync(join(dataDir, 'file'), '')
    const { exitCode } = await refusal(claimed(join(dataDir, 'file', 'data')))
    expect(exitCode).toBe(exitCodes.dataDirectory.code)
  })
})

describe('the claim on a data directory', () => {
  it('keeps others away until it is released, whatever their pid', async () => {
    const first = await taken()
    const { exitCode, message } = await refusal(taken())
    expect(exitCode).toBe(exitCodes.dataDirectory.code)
    expect(message).toContain(`the Rookery with pid ${process.pid} on `)
    expect(claimFiles()).toHaveLength(1)
    first.release()
    await taken()
  })

  it('goes to one of many that come together', async () => {
    for (let round = 0; round < 10; round += 1) {
      const all = await Promise.allSettled(Array.from({ length: 5 }, taken))
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const claim of claims.splice(0)) claim.release()
    }
    expect(claimFiles()).toEqual([])
  })

  it('that a killed process left behind is removed', async () => {
    const path = join(dataDir, 'claim-00000000.sock')
    const holder = await running(
      `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log(1))`,
    )
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(claimFiles()).toEqual(['claim-00000000.sock'])
    await taken()
    expect(claimFiles()).toHaveLength(1)
    expect(claimFiles()).not.toContain('claim-00000000.sock')
  })

  it('of a process that is stopped counts', async () => {
    const path = join(dataDir, 'claim-00000000.sock')
    const holder = await running(
      `require('net').createServer(() => {}).listen(${JSON.stringify(path)}, () => console.log(1))`,
    )
    try {
      holder.kill('SIGSTOP')
      const { message } = await refusal(taken())
      expect(message).toContain('does not answer')
    } finally {
      holder.kill('SIGKILL')
    }
  })

  it('works in a directory whose path is longer than that of a socket may be', async () => {
    const deep = join(dataDir, 'x'.repeat(90), 'y'.repeat(90))
    await claimed(deep)
    expect(readdirSync(deep)).toHaveLength(2)
    await refusal(Claim.take(deep))
  })

  it('is made again after its file was removed', async () => {
    const first = await taken()
    for (const name of claimFiles()) rmSync(join(dataDir, name))
    expect(first.isInPlace()).toBe(false)
    await first.restore()
    expect(first.isInPlace()).toBe(true)
    await refusal(taken())
  })

  it('is lost to who took it while its file was missing', async () => {
    const first = await taken()
    for (const name of claimFiles()) rmSync(join(dataDir, name))
    await taken()
    const { exitCode } = await refusal(first.restore())
    expect(exitCode).toBe(exitCodes.dataDirectory.code)
  })
})
