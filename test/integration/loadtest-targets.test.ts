/** Targets of one host: each starts, serves its dialect over all of its workers, does what its faults say, and leaves no process. */
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { io, type Socket } from 'socket.io-client'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { RunningTarget, TargetOptions, TargetShape } from '../../loadtest/target.ts'
import { targets } from '../../loadtest/targets/index.ts'
import { isRunning, standsStill } from '../../loadtest/targets/processes.ts'
import { until } from '../harness/until.ts'

let target: RunningTarget | undefined
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect()
  await target?.stop()
  target = undefined
})

async function start(
  name: string,
  shape: TargetShape,
  more: Partial<TargetOptions> = {},
): Promise<RunningTarget> {
  const found = targets.find((each) => each.name === name)
  const [dialect = 'bench'] = found?.dialects.filter((each) => each !== 'chat') ?? []
  target = await found?.start({ shape, dialect, env: {}, urls: [], progress: () => {}, ...more })
  if (target === undefined) throw new Error(`there is no target ${name}`)
  return target
}

const pids = (running: RunningTarget, role?: string) =>
  running
    .processes()
    .filter((each) => role === undefined || each.role === role)
    .map(({ pid }) => pid)

/** Stock clients, all in one room, spread over all urls. */
async function members(running: RunningTarget, count: number, transports = ['websocket']): Promise<Socket[]> {
  const urls = running.urls.flat()
  const all: Socket[] = []
  for (let n = 0; n < count; n += 1) {
    // One after the other, so that those who balance by the number of clients know of the one before.
    const url = urls[n % urls.length] ?? ''
    const socket = io(url, { transports, forceNew: true, reconnectionDelayMax: 1_000 })
    all.push(socket)
    sockets.push(socket)
    await join(socket)
  }
  return all
}

/** @socket.io/sticky loses the first packets of some connections: such a client would notice after 45 s and begins anew here. */
async function join(socket: Socket): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer: unknown = await socket.timeout(3_000).emitWithAck('join', { rooms: ['room'] })
      expect(answer).toEqual({ ok: true })
      return
    } catch (error) {
      if (tries === 10) throw error
      socket.disconnect().connect()
    }
  }
}

/** Each of them publishes once; resolves when all have heard all. */
async function exchange(all: readonly Socket[], mark: string): Promise<void> {
  const heard = all.map(() => new Set<string>())
  all.forEach((socket, n) => {
    socket.on('message', ({ room, id }: { room: string; id: string }) => {
      if (room === 'room' && id.startsWith(mark)) heard[n]?.add(id)
    })
  })
  for (const [n, socket] of all.entries())
    expect(await socket.emitWithAck('publish', { room: 'room', id: `${mark}-${n}`, text: 'text' })).toEqual({
      ok: true,
    })
  await until(
    () => heard.every(({ size }) => size === all.length),
    'all have all',
    () => heard.map(({ size }) => size).join(' '),
  )
}

describe.each(['rookery', 'sticky-cluster'])('%s', (name) => {
  it('carries broadcasts over its workers, mends a killed one, stands still, dies and comes back', async () => {
    const running = await start(name, { hosts: 1, workersPerHost: 2 })
    expect(pids(running, 'primary')).toHaveLength(1)
    expect(pids(running, 'worker')).toHaveLength(2)
    await exchange(await members(running, 6), 'a')
    await exchange(await members(running, 2, ['polling']), 'b')

    const before = pids(running, 'worker')
    await running.faults['kill-worker']?.(1)
    expect(before.filter(isRunning)).toHaveLength(1)
    await running.untilWhole()
    expect(pids(running, 'worker').filter((pid) => before.includes(pid))).toHaveLength(1)
    await exchange(await members(running, 4), 'c')
    expect(running.deaths()).toEqual([])

    const [one = 0, two = 0] = pids(running, 'worker')
    process.kill(one, 'SIGKILL')
    await until(() => running.deaths().length > 0, 'a death that nobody asked for is told')
    expect(running.deaths()).toEqual([`worker ${one} of host 0 died by itself`])
    await running.untilWhole()
    expect(isRunning(two)).toBe(true)

    const all = pids(running)
    await running.faults['kill-host']?.(0)
    expect(all.filter(isRunning)).toEqual([])
    expect(pids(running)).toEqual([])
    await running.faults['start-host']?.(0)
    await running.untilWhole()
    await exchange(await members(running, 4), 'd')
    expect(running.deaths()).toHaveLength(1)

    const last = pids(running)
    await running.stop()
    expect(last.filter(isRunning)).toEqual([])
  })

  it('has workers that stand still and go on', async () => {
    const running = await start(name, { hosts: 1, workersPerHost: 2 })
    const all = await members(running, 4)
    await running.faults['pause-worker']?.(0)
    expect(pids(running, 'worker').filter(standsStill)).toHaveLength(1)
    const answers = all.map((socket) => socket.emitWithAck('publish', { room: 'room', id: 'p', text: 't' }))
    expect(await Promise.any(answers)).toEqual({ ok: true })
    await running.faults['resume-worker']?.(0)
    expect(pids(running, 'worker').filter(standsStill)).toEqual([])
    expect(await Promise.all(answers)).toHaveLength(4)
    expect(running.deaths()).toEqual([])
  })
})

describe('rookery', () => {
  it('replaces its workers one by one when it reloads, and is whole only after that', async () => {
    const running = await start('rookery', { hosts: 1, workersPerHost: 2 }, { env: { DRAIN_MS: '500' } })
    const before = pids(running, 'worker')
    await running.faults.reload?.(0)
    await running.untilWhole()
    expect(before.filter(isRunning)).toEqual([])
    expect(pids(running, 'worker')).toHaveLength(2)
    expect(running.deaths()).toEqual([])
  })

  it('has its primary stand still with all of its workers', async () => {
    const running = await start('rookery', { hosts: 1, workersPerHost: 1 }, { dialect: 'chat' })
    const [url = ''] = running.urls[0] ?? []
    await running.faults['pause-host']?.(0)
    expect(pids(running).map(standsStill)).toEqual([true, true])
    await expect(fetch(`${url}/healthz`, { signal: AbortSignal.timeout(300) })).rejects.toThrow('timeout')
    await running.faults['resume-host']?.(0)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('tells of an option that is none', async () => {
    const shape = { hosts: 2, workersPerHost: 1 }
    await expect(start('rookery', shape, { env: { REDIS_APPENDFSYNC: 'often' } })).rejects.toThrow(
      'REDIS_APPENDFSYNC',
    )
  })
})

describe('one-process', () => {
  it('serves, dies and comes back', async () => {
    const running = await start('one-process', { hosts: 1, workersPerHost: 1 })
    expect(running.processes().map(({ role }) => role)).toEqual(['worker'])
    expect(Object.keys(running.faults)).not.toContain('kill-worker')
    await exchange(await members(running, 4), 'a')
    await running.faults['kill-host']?.(0)
    await running.faults['start-host']?.(0)
    await exchange(await members(running, 3), 'b')
    const last = pids(running)
    await running.stop()
    expect(last.filter(isRunning)).toEqual([])
  })

  it('has a probe in its process', async () => {
    const running = await start('one-process', { hosts: 1, workersPerHost: 1 })
    const [pid = 0] = pids(running)
    await until(
      async () => (await readdir(running.probeDirectory ?? '')).includes(`${pid}.jsonl`),
      'the probe writes',
    )
  })
})

describe('bare-ws', () => {
  it('speaks the same as JSON texts', async () => {
    const running = await start('bare-ws', { hosts: 1, workersPerHost: 1 })
    const socket = new WebSocket(running.urls[0]?.[0] ?? '')
    await once(socket, 'open')
    const texts: unknown[] = []
    socket.on('message', (data: Buffer) => texts.push(JSON.parse(data.toString())))
    const ask = (event: string, payload: unknown, ref: number) =>
      socket.send(JSON.stringify({ event, payload, ref }))
    ask('join', { rooms: ['room', 'other'] }, 1)
    ask('leave', { rooms: ['other'] }, 2)
    ask('publish', { room: 'other', id: 'x', text: 'not heard' }, 3)
    ask('publish', { room: 'room', id: 'y', text: 'heard' }, 4)
    await until(() => texts.length === 5, 'all is answered')
    socket.close()
    expect(texts).toEqual([
      { ref: 1, ack: { ok: true } },
      { ref: 2, ack: { ok: true } },
      { ref: 3, ack: { ok: true } },
      { event: 'message', payload: { room: 'room', id: 'y', text: 'heard' } },
      { ref: 4, ack: { ok: true } },
    ])
  })
})

describe('url', () => {
  it('is what runs elsewhere: its addresses, no processes, no faults', async () => {
    const elsewhere = await start('one-process', { hosts: 1, workersPerHost: 1 })
    const urls = elsewhere.urls.flat()
    const found = targets.find(({ name }) => name === 'url')
    const running = await found?.start({
      shape: { hosts: 1, workersPerHost: 1 },
      dialect: 'bench',
      env: {},
      urls,
      progress: () => {},
    })
    if (running === undefined) throw new Error('there is no target url')
    await running.untilWhole()
    expect(running.urls).toEqual([urls])
    expect(running.processes()).toEqual([])
    expect(running.faults).toEqual({})
    await exchange(await members(running, 2), 'a')
    await running.stop()
    expect(pids(elsewhere)).toHaveLength(1)
  })

  it('needs an address', async () => {
    await expect(start('url', { hosts: 1, workersPerHost: 1 })).rejects.toThrow('address')
  })
})
