/**
 * Targets of several hosts over their own Redis: broadcasts cross the hosts, hosts and Redis die and restart.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isRunning, isStopped, readProc } from '../../loadtest/system/processes.ts'
import { exchange, startTestTarget } from '../harness/loadtest/target.ts'
import { until } from '../harness/until.ts'

const TWO_HOSTS = { hosts: 2, workersPerHost: 2 }
describe.each(['rookery', 'redis-classic', 'redis-sharded', 'redis-streams'])('%s', (name) => {
  it('delivers broadcasts from host to host, also after a host has died and restarted', async () => {
    const target = await startTestTarget(name, TWO_HOSTS)
    const { running } = target
    expect(running.urls.map((urls) => urls.map((url) => new URL(url).hostname))).toEqual([
      ['127.0.0.1'],
      ['127.0.0.2'],
    ])
    expect(running.processes().map(({ role, host }) => `${role} ${host}`)).toEqual([
      'primary 0',
      'worker 0',
      'worker 0',
      'primary 1',
      'worker 1',
      'worker 1',
      'redis 0',
    ])
    await exchange(await target.members(8), 'a')

    const before = target.pids()
    await running.faults['kill-host']?.(1)
    expect(before.filter(isRunning)).toHaveLength(4)
    await running.untilReady()
    await running.faults['start-host']?.(1)
    await running.untilReady()
    await running.faults['kill-worker']?.(3)
    await running.untilReady()
    await exchange(await target.members(4), 'b')
    expect(running.unexpectedExits()).toEqual([])

    const figures = await running.redis()
    expect(figures?.bytesOut).toBeGreaterThan(0)
    expect(figures?.connections).toBeGreaterThan(1)
    const last = target.pids()
    await target.stop()
    expect(last.filter(isRunning)).toEqual([])
  })
})

describe('Redis', () => {
  it('is paused, loses its subscribers, dies and restarts', async () => {
    const target = await startTestTarget('rookery', { hosts: 2, workersPerHost: 1 })
    const { faults } = target.running
    const [pid = 0] = target.pids('redis')
    await faults['pause-redis']?.(0)
    await until(() => isStopped(pid), 'Redis is paused')
    expect(await target.running.redis()).toBeUndefined()
    await faults['resume-redis']?.(0)
    await target.running.untilReady()
    await faults['cut-pubsub']?.(0)
    await target.running.untilReady()
    await exchange(await target.members(2), 'a')
    await faults['kill-redis']?.(0)
    expect(isRunning(pid)).toBe(false)
    expect(target.pids('redis')).toEqual([])
    expect(await target.running.redis()).toBeUndefined()
    await faults['start-redis']?.(0)
    await target.running.untilReady()
    expect(target.pids('redis')).toHaveLength(1)
    expect(target.running.unexpectedExits()).toEqual([])
  })

  it('reports its traffic without the bytes of the report itself', async () => {
    const target = await startTestTarget('redis-classic', { hosts: 1, workersPerHost: 1 })
    const first = await target.running.redis()
    for (let n = 0; n < 20; n += 1) await target.running.redis()
    const last = await target.running.redis()
    // An answer has more than 1,000 bytes; a few small ones from connecting and from the servers remain.
    expect((last?.bytesOut ?? 0) - (first?.bytesOut ?? 0)).toBeLessThan(21 * 300)
    expect(last?.connections).toBe(2)
  })

  it('restores its data after a restart, where the servers rely on it', async () => {
    const target = await startTestTarget('rookery', { hosts: 2, workersPerHost: 1 }, { dialect: 'chat' })
    expect(target.running.tail()).toContain('Redis:')
    await target.running.faults['kill-redis']?.(0)
    await target.running.faults['start-redis']?.(0)
    expect(target.running.tail()).toMatch(/DB loaded from (append only|base|incr)/i)
  })
})

it('is not reached by a Ctrl-C for the measuring process', async () => {
  const target = await startTestTarget('rookery', { hosts: 2, workersPerHost: 1 })
  const own = sessionOf(process.pid)
  expect(target.pids()).toHaveLength(5)
  for (const pid of target.pids()) expect(sessionOf(pid)).not.toBe(own)
})

/** See proc(5): a terminal signals only the processes of one session. */
function sessionOf(pid: number): string | undefined {
  const stat = readProc(pid, 'stat') ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]
}

it.each(['rookery', 'redis-classic'])(
  '%s exits with the process that started it, however that exits',
  async (name) => {
    const script = fileURLToPath(new URL('../fixtures/loadtest-coordinator.js', import.meta.url))
    const coordinator = fork(script, [name])
    const [pids] = (await Promise.race([once(coordinator, 'message'), once(coordinator, 'exit')])) as [
      number[],
    ]
    expect(pids, 'it tells them, and does not end').toHaveLength(7)
    coordinator.kill('SIGKILL')
    await until(
      () => !pids.some(isRunning),
      'all processes have exited',
      () => pids.filter(isRunning).join(' '),
    )
  },
)
