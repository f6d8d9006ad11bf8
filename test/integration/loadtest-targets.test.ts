/**
 * Targets of one host: each starts, serves its protocol over all of its workers, carries out its faults, and
 * leaves no process.
 */
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { isRunning, isStopped, pauseAll, resumeAll } from '../../loadtest/system/processes.ts'
import { exchange, startTestTarget } from '../harness/loadtest/target.ts'
import { until } from '../harness/until.ts'

describe.each([
  { name: 'rookery', how: ': signal SIGKILL, reason ' },
  { name: 'sticky-cluster', how: '' },
])('$name', ({ name, how }) => {
  it('delivers broadcasts over its workers, replaces a killed one, is paused, dies and restarts', async () => {
    const target = await startTestTarget(name, { hosts: 1, workersPerHost: 2 })
    expect(target.pids('primary')).toHaveLength(1)
    expect(target.pids('worker')).toHaveLength(2)
    await exchange(await target.members(6), 'a')
    await exchange(await target.members(2, ['polling']), 'b')

    const before = target.pids('worker')
    await target.running.faults['kill-worker']?.(1)
    expect(before.filter(isRunning)).toHaveLength(1)
    await target.running.untilReady()
    expect(target.pids('worker').filter((pid) => before.includes(pid))).toHaveLength(1)
    await exchange(await target.members(4), 'c')
    expect(target.running.unexpectedExits()).toEqual([])

    const [one = 0, two = 0] = target.pids('worker')
    process.kill(one, 'SIGKILL')
    await until(() => target.running.unexpectedExits().length > 0, 'an unexpected exit is reported')
    expect(target.running.unexpectedExits()).toEqual([
      expect.stringContaining(`worker ${one} of host 0 exited unexpectedly${how}`),
    ])
    await target.running.untilReady()
    expect(isRunning(two)).toBe(true)

    const all = target.pids()
    await target.running.faults['kill-host']?.(0)
    expect(all.filter(isRunning)).toEqual([])
    expect(target.pids()).toEqual([])
    await target.running.faults['start-host']?.(0)
    await target.running.untilReady()
    await exchange(await target.members(4), 'd')
    expect(target.running.unexpectedExits()).toHaveLength(1)

    const last = target.pids()
    await target.stop()
    expect(last.filter(isRunning)).toEqual([])
  })

  it('has workers that can be paused and resumed', async () => {
    const target = await startTestTarget(name, { hosts: 1, workersPerHost: 2 })
    const all = await target.members(4)
    await target.running.faults['pause-worker']?.(0)
    expect(target.pids('worker').filter(isStopped)).toHaveLength(1)
    const answers = all.map((socket) => socket.emitWithAck('publish', { room: 'room', id: 'p', text: 't' }))
    expect(await Promise.any(answers)).toEqual({ ok: true })
    await target.running.faults['resume-worker']?.(0)
    expect(target.pids('worker').filter(isStopped)).toEqual([])
    expect(await Promise.all(answers)).toHaveLength(4)
    expect(target.running.unexpectedExits()).toEqual([])
  })
})

describe('rookery', () => {
  it('reloads until its workers are replaced one by one, and other faults do not wait for that', async () => {
    const target = await startTestTarget(
      'rookery',
      { hosts: 1, workersPerHost: 2 },
      { env: { DRAIN_MS: '500' } },
    )
    const before = target.pids('worker')
    const ended: string[] = []
    const reload = target.running.faults.reload?.(0).then(() => ended.push('reload'))
    await target.running.faults['stall-primary']?.(0).then(() => ended.push('stall'))
    await reload
    expect(ended).toEqual(['stall', 'reload'])
    expect(before.filter(isRunning)).toEqual([])
    await target.running.untilReady()
    expect(target.pids('worker')).toHaveLength(2)
    expect(target.running.unexpectedExits()).toEqual([])
  })

  it('pauses its primary with all of its workers', async () => {
    const target = await startTestTarget('rookery', { hosts: 1, workersPerHost: 1 }, { dialect: 'chat' })
    const [url = ''] = target.running.urls[0] ?? []
    await target.running.faults['pause-host']?.(0)
    expect(target.pids().map(isStopped)).toEqual([true, true])
    await expect(fetch(`${url}/healthz`, { signal: AbortSignal.timeout(300) })).rejects.toThrow('timeout')
    await target.running.faults['resume-host']?.(0)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('detects that a worker exits because its paused primary does not admit it', async () => {
    const target = await startTestTarget('rookery', { hosts: 1, workersPerHost: 1 }, { dialect: 'chat' })
    const before = target.pids('worker')
    await target.running.faults['kill-worker']?.(0)
    const newcomers = () => target.pids('worker').filter((pid) => !before.includes(pid))
    await until(() => newcomers().length === 1, 'another worker is forked')
    const [newcomer = 0] = newcomers()
    const stalled = target.running.faults['stall-primary']?.(0)
    // For as long as the new worker takes to give up, which is longer than a stall on a quiet machine.
    const primaries = target.pids('primary')
    await pauseAll(primaries)
    await until(() => !isRunning(newcomer), 'the worker exits')
    await resumeAll(primaries)
    await stalled
    await target.running.untilReady()
    expect(target.running.unexpectedExits()).toEqual([])
  })

  it('reports an unknown option', async () => {
    const shape = { hosts: 2, workersPerHost: 1 }
    await expect(startTestTarget('rookery', shape, { env: { REDIS_APPENDFSYNC: 'often' } })).rejects.toThrow(
      'REDIS_APPENDFSYNC',
    )
  })
})

describe('one-process', () => {
  it('serves, dies and restarts', async () => {
    const target = await startTestTarget('one-process', { hosts: 1, workersPerHost: 1 })
    expect(target.running.processes().map(({ role }) => role)).toEqual(['worker'])
    expect(Object.keys(target.running.faults)).not.toContain('kill-worker')
    await exchange(await target.members(4), 'a')
    await target.running.faults['kill-host']?.(0)
    await target.running.faults['start-host']?.(0)
    await exchange(await target.members(3), 'b')
    const last = target.pids()
    await target.stop()
    expect(last.filter(isRunning)).toEqual([])
  })

  it('has a probe in its process', async () => {
    const target = await startTestTarget('one-process', { hosts: 1, workersPerHost: 1 })
    const [pid = 0] = target.pids()
    await until(
      async () => (await readdir(target.running.probeDirectory ?? '')).includes(`${pid}.jsonl`),
      'the probe writes',
    )
  })
})

describe('bare-ws', () => {
  it('sends the same messages as JSON texts', async () => {
    const target = await startTestTarget('bare-ws', { hosts: 1, workersPerHost: 1 })
    const socket = new WebSocket(target.running.urls[0]?.[0] ?? '')
    await once(socket, 'open')
    const texts: unknown[] = []
    socket.on('message', (data: Buffer) => texts.push(JSON.parse(data.toString())))
    const ask = (event: string, payload: unknown, ref: number) =>
      socket.send(JSON.stringify({ event, payload, ref }))
    ask('join', { rooms: ['room', 'other'] }, 1)
    ask('leave', { rooms: ['other'] }, 2)
    ask('publish', { room: 'other', id: 'x', text: 'not heard' }, 3)
    ask('publish', { room: 'room', id: 'y', text: 'heard' }, 4)
    await until(() => texts.length === 5, 'all requests are answered')
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
  it('is a server that runs elsewhere: its addresses, no processes, no faults', async () => {
    const elsewhere = await startTestTarget('one-process', { hosts: 1, workersPerHost: 1 })
    const urls = elsewhere.running.urls.flat()
    const target = await startTestTarget('url', { hosts: 1, workersPerHost: 1 }, { urls })
    await target.running.untilReady()
    expect(target.running.urls).toEqual([urls])
    expect(target.pids()).toEqual([])
    expect(target.running.faults).toEqual({})
    await exchange(await target.members(2), 'a')
    await target.stop()
    expect(elsewhere.pids().filter(isRunning)).toHaveLength(1)
  })

  it('needs an address', async () => {
    await expect(startTestTarget('url', { hosts: 1, workersPerHost: 1 })).rejects.toThrow('address')
  })
})
