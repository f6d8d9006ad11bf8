/** Rookery under the real pm2, with the shipped ecosystem.config.js, while members of a room write. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../harness/command.ts'
import { Member } from '../harness/members/member.ts'
import { freePort } from '../harness/network/free-port.ts'
import { until } from '../harness/until.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const PM2 = join(ROOT, 'node_modules', '.bin', 'pm2')
/** Between two messages of a member. */
const PACE_MS = 50

let home: string
let port: number
let settings: string
/** More variables of the shell in which pm2 is called. */
let shell: Record<string, string> = {}

async function pm2(...args: string[]): Promise<string> {
  const env = {
    PM2_HOME: join(home, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    PORT: String(port),
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    WORKERS: '2',
    DRAIN_MS: '2000',
    DATA_DIR: join(home, 'data'),
    ROOKERY_CONFIG: settings,
    ...shell,
  }
  const { code, stdout, stderr } = await run(PM2, args, { cwd: home, env })
  if (code !== 0) throw new Error(`pm2 ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}

interface Process {
  pid: number
  status: string
  restarts: number
}

async function seenByPm2(): Promise<Process> {
  const output = await pm2('jlist')
  const [app] = JSON.parse(output.slice(output.indexOf('[{'))) as {
    pid: number
    pm2_env: { status: string; restart_time: number }
  }[]
  if (app === undefined) throw new Error('pm2 knows no application')
  return { pid: app.pid, status: app.pm2_env.status, restarts: app.pm2_env.restart_time }
}

async function logLines(): Promise<{ msg: string; workerPid?: number }[]> {
  const text = await readFile(join(home, 'pm2', 'logs', 'rookery-out.log'), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

const countLogs = async (msg: string) => (await logLines()).filter((line) => line.msg === msg).length

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** SIGKILL to the primary. */
async function killPrimary(): Promise<Process> {
  const seen = await seenByPm2()
  // Process 0 is the group of the caller.
  if (seen.pid === 0) throw new Error(`it does not run: ${seen.status}`)
  process.kill(seen.pid, 'SIGKILL')
  return seen
}

const errorLog = () => readFile(join(home, 'pm2', 'logs', 'rookery-error.log'), 'utf8')

/** The environment with which the process was started. */
async function environmentOf(pid: number): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8')
  return Object.fromEntries(text.split('\0').map((line) => [line.split('=')[0], line.replace(/^[^=]*=/, '')]))
}

async function workerPids(): Promise<number[]> {
  const lines = await logLines()
  return lines.filter((line) => line.msg === 'worker ready').flatMap((line) => line.workerPid ?? [])
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'rookery-pm2-'))
  port = await freePort()
  settings = join(home, 'rookery.json')
  await writeFile(settings, '{}')
})

afterAll(async () => {
  await pm2('kill')
  await rm(home, { recursive: true, force: true })
})

describe('under pm2', () => {
  const members: Member[] = []
  const acked: string[] = []
  const talk = { goesOn: true }
  let talks: Promise<void>[] = []

  async function keepTalking(member: Member, name: string): Promise<void> {
    for (let n = 0; talk.goesOn; n += 1) {
      const { id } = await member.send(`${name}-${n}`, `${n}`)
      acked.push(id)
      await delay(PACE_MS)
    }
  }

  /** Resolves when each member has an ack for a message sent after this call. */
  async function untilAllTalkAgain(): Promise<void> {
    const counts = members.map((_, index) => acked.filter((id) => id.startsWith(`m${index}-`)).length)
    await until(
      () =>
        counts.every((count, index) => acked.filter((id) => id.startsWith(`m${index}-`)).length > count + 1),
      'every member has a message acked',
    )
  }

  it('`pm2 start` returns when connections are accepted', async () => {
    shell = { RETENTION_DAYS: '12', PING_INTERVAL_MS: '24000', OF_THE_APPLICATION: 'old' }
    await pm2('start', join(ROOT, 'ecosystem.config.js'))
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    expect(await seenByPm2()).toMatchObject({ status: 'online', restarts: 0 })
    members.push(...[0, 1, 2, 3].map((n) => new Member(`http://127.0.0.1:${port}`, 'lobby', `m${n}`)))
    await Promise.all(members.map((member) => member.joined()))
    talks = members.map((member, n) => keepTalking(member, `m${n}`))
    await untilAllTalkAgain()
  })

  it('SIGHUP replaces the workers and keeps the primary', async () => {
    const before = await seenByPm2()
    const oldWorkers = await workerPids()
    await pm2('sendSignal', 'SIGHUP', 'rookery')
    await until(async () => (await countLogs('reload done')) === 1, 'the reload is done')
    expect(await seenByPm2()).toEqual(before)
    expect(oldWorkers.filter(isRunning)).toEqual([])
    await untilAllTalkAgain()
  })

  it.each(['restart', 'reload'])('`pm2 %s` stops cleanly and starts again', async (command) => {
    const before = await seenByPm2()
    const stops = await countLogs('stopped')
    await pm2(command, 'rookery')
    const after = await seenByPm2()
    expect(after.status).toBe('online')
    expect(after.pid).not.toBe(before.pid)
    expect(await countLogs('stopped')).toBe(stops + 1)
    await untilAllTalkAgain()
  })

  it('`pm2 startOrRestart` takes changed settings from the shell, and forgets those that are gone', async () => {
    const before = await environmentOf((await seenByPm2()).pid)
    expect(before).toMatchObject(shell)
    shell = { PING_INTERVAL_MS: '23000', OF_THE_APPLICATION: 'new' }
    await pm2('startOrRestart', join(ROOT, 'ecosystem.config.js'))
    const after = await environmentOf((await seenByPm2()).pid)
    expect(after).toMatchObject({ ...shell, RETENTION_DAYS: '' })
    await untilAllTalkAgain()
  })

  it('with a wrong settings file is tried again, and comes up when the file is right', async () => {
    await writeFile(settings, '{ "pingTimeoutMs": "long" }')
    const starts = await countLogs('ready')
    await killPrimary()
    await until(
      async () => (await errorLog()).split('pingTimeoutMs (file)').length > 2,
      'two tries have failed',
    )
    await writeFile(settings, '{}')
    await until(async () => (await countLogs('ready')) > starts, 'pm2 has started it again')
    expect((await seenByPm2()).status).toBe('online')
    await untilAllTalkAgain()
  })

  it('restarts after a SIGKILL of the primary, and no old worker survives', async () => {
    const oldWorkers = await workerPids()
    const starts = await countLogs('ready')
    const before = await killPrimary()
    await until(async () => (await countLogs('ready')) > starts, 'the host is ready again')
    await until(() => !oldWorkers.some(isRunning), 'no old worker is left')
    expect(await seenByPm2()).toMatchObject({ status: 'online', restarts: before.restarts + 1 })
    await untilAllTalkAgain()
  })

  it('loses no acked message, and shows all members the same order', async () => {
    talk.goesOn = false
    await Promise.all(talks)
    const last = Math.max(...members.flatMap((member) => member.shown.map((shown) => shown.seq)))
    await Promise.all(members.map((member) => member.has(last)))
    const [first, ...others] = members.map((member) => member.shown.map(({ seq, id }) => `${seq} ${id}`))
    for (const other of others) expect(other.slice(-100)).toEqual(first?.slice(-100))
    for (const member of members) {
      expect(member.breaks).toEqual([])
      const ids = new Set(member.shown.map(({ id }) => id))
      expect(acked.filter((id) => !ids.has(id))).toEqual([])
      expect(ids.size).toBe(member.shown.length)
    }
  })

  it('`pm2 stop` ends every process and frees the port', async () => {
    for (const member of members) member.close()
    const { pid } = await seenByPm2()
    const stops = await countLogs('stopped')
    await pm2('stop', 'rookery')
    expect(await seenByPm2()).toMatchObject({ status: 'stopped', pid: 0 })
    expect([pid, ...(await workerPids())].filter(isRunning)).toEqual([])
    expect(await countLogs('stopped')).toBe(stops + 1)
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed')
  })
})
