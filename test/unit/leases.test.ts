import fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LeaseTable } from '../../src/primary/leases/lease-table.ts'
import { ClusterTasks } from '../../src/worker/app/cluster-tasks.ts'
import type { LeaseRequests } from '../../src/worker/app/held-lease.ts'

const LEASE_MS = 10_000

describe('a lease', () => {
  test('is held by at most one worker at any time, whatever they ask', () => {
    const asks = fc.array(
      fc.record({
        worker: fc.constantFrom('w1', 'w2', 'w3'),
        afterMs: fc.integer({ min: 0, max: 6_000 }),
        what: fc.constantFrom('hold', 'hold', 'hold', 'end', 'gone'),
      }),
    )
    fc.assert(
      fc.property(asks, (all) => {
        const table = new LeaseTable(LEASE_MS)
        const until = new Map<string, number>()
        let now = 0
        for (const { worker, afterMs, what } of all) {
          now += afterMs
          if (what === 'hold') {
            const { heldMs } = table.hold(worker, 'a', now)
            if (heldMs > 0) until.set(worker, now + heldMs)
          } else {
            until.delete(worker)
            if (what === 'end') table.end(worker, 'a')
            else table.dropWorker(worker)
          }
          const holders = [...until.values()].filter((end) => end > now)
          expect(holders.length).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test('remembers the last run over its holders, and takes none of others', () => {
    const table = new LeaseTable(LEASE_MS)
    expect(table.hold('w1', 'a', 0)).toEqual({ heldMs: LEASE_MS, ranAgoMs: null })
    expect([table.ran('w1', 'a', 100), table.ran('w2', 'a', 100)]).toEqual([true, false])
    table.end('w1', 'a')
    expect(table.ran('w1', 'a', 150)).toBe(false)
    expect(table.hold('w2', 'a', 200)).toEqual({ heldMs: LEASE_MS, ranAgoMs: 100 })
  })

  test('there is a bound of names', () => {
    const table = new LeaseTable(LEASE_MS)
    for (let index = 0; index < 1_000; index += 1) table.hold('w1', `n${index}`, 0)
    expect(() => table.hold('w1', 'one more', 0)).toThrow('1000 names')
    expect(table.hold('w1', 'n7', 1).heldMs).toBe(LEASE_MS)
  })
})

/** Two workers and the table, with their own clocks. */
describe('tasks', () => {
  const table = { now: new LeaseTable(LEASE_MS) }
  let isReachable = true
  const running = new Map<string, number>()
  let most = 0
  const all: ClusterTasks[] = []

  beforeEach(() => {
    vi.useFakeTimers()
    table.now = new LeaseTable(LEASE_MS)
    isReachable = true
    running.clear()
    most = 0
    all.length = 0
  })
  afterEach(() => vi.useRealTimers())

  function worker(name: string, own: { isCutOff: boolean } = { isCutOff: false }): ClusterTasks {
    const reach = () => {
      if (!isReachable || own.isCutOff) throw new Error('the primary can not be reached')
    }
    const requests: LeaseRequests = {
      hold: async (task) => {
        reach()
        return table.now.hold(name, task, Date.now())
      },
      ran: async (task) => {
        reach()
        return table.now.ran(name, task, Date.now())
      },
      end: async (task) => {
        reach()
        table.now.end(name, task)
      },
    }
    const logger = pino({ enabled: false })
    const tasks = new ClusterTasks({ requests, logger, registry: new Registry(), now: () => Date.now() })
    all.push(tasks)
    return tasks
  }

  /** Runs until its signal aborts. */
  const service = (who: string) => async (signal: AbortSignal) => {
    running.set(who, (running.get(who) ?? 0) + 1)
    most = Math.max(most, running.size)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    running.delete(who)
  }

  test('one worker runs it; when that one is cut off it ends there before it starts elsewhere', async () => {
    const first = { isCutOff: false }
    worker('w1', first).once('service', service('w1'))
    await vi.advanceTimersByTimeAsync(10)
    worker('w2').once('service', service('w2'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([...running.keys()]).toEqual(['w1'])
    first.isCutOff = true
    await vi.advanceTimersByTimeAsync(LEASE_MS + 2_000)
    expect([...running.keys()]).toEqual(['w2'])
    expect(most).toBe(1)
  })

  test('a short interruption changes nothing', async () => {
    worker('w1').once('service', service('w1'))
    await vi.advanceTimersByTimeAsync(10)
    isReachable = false
    await vi.advanceTimersByTimeAsync(6_000)
    isReachable = true
    await vi.advanceTimersByTimeAsync(20_000)
    expect(running.get('w1')).toBe(1)
  })

  test('a worker that closes waits for its task, and only then may another begin', async () => {
    const tasks = worker('w1')
    const slow = { end: () => undefined as void }
    tasks.once('slow', async () => {
      running.set('w1', 1)
      await new Promise<void>((resolve) => {
        slow.end = resolve
      })
      running.delete('w1')
    })
    await vi.advanceTimersByTimeAsync(10)
    worker('w2').once('slow', service('w2'))
    const closed = tasks.close(8_000)
    await vi.advanceTimersByTimeAsync(3_000)
    expect([...running.keys()]).toEqual(['w1'])
    slow.end()
    await closed
    await vi.advanceTimersByTimeAsync(2_000)
    expect([...running.keys()]).toEqual(['w2'])
  })

  test('a task that returns is over; one that fails starts again', async () => {
    const tasks = worker('w1')
    const runs = { returns: 0, fails: 0 }
    tasks.once('returns', () => (runs.returns += 1))
    tasks.once('fails', () => {
      runs.fails += 1
      throw new Error('it fails')
    })
    await vi.advanceTimersByTimeAsync(21_000)
    expect(runs.returns).toBe(1)
    expect(runs.fails).toBeGreaterThanOrEqual(4)
  })

  test('every: from start to start over all workers, never twice at a time', async () => {
    const starts: { who: string; at: number }[] = []
    const job = (who: string) => async () => {
      starts.push({ who, at: Date.now() })
      running.set(who, 1)
      most = Math.max(most, running.size)
      await new Promise((resolve) => setTimeout(resolve, 400))
      running.delete(who)
    }
    const first = worker('w1')
    first.every('job', 1_000, job('w1'))
    await vi.advanceTimersByTimeAsync(10)
    const second = worker('w2')
    second.every('job', 1_000, job('w2'))
    await vi.advanceTimersByTimeAsync(5_200)
    expect(starts.map(({ who }) => who)).toEqual(['w1', 'w1', 'w1', 'w1', 'w1'])
    await Promise.all([first.close(1_000), vi.advanceTimersByTimeAsync(1_000)])
    await vi.advanceTimersByTimeAsync(6_000)
    const gaps = starts.slice(1).map(({ at }, index) => at - (starts[index]?.at ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(4_000)
    expect(starts.at(-1)?.who).toBe('w2')
    expect(most).toBe(1)
  })

  test('wrong names and intervals are refused', () => {
    const tasks = worker('w1')
    tasks.once('a', () => undefined)
    expect(() => tasks.every('a', 1_000, () => undefined)).toThrow("'a' is in use")
    expect(() => tasks.once('a b', () => undefined)).toThrow('without spaces')
    for (const wrong of [0, -1, Number.NaN, 2 ** 31])
      expect(() => tasks.every('b', wrong, () => undefined)).toThrow('an interval is')
  })
})
