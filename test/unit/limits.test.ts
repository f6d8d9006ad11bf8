import * as fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ReporterOptions } from '../../src/primary/limits/connection-reporter.ts'
import { ConnectionReporter } from '../../src/primary/limits/connection-reporter.ts'
import { ConnectionTable } from '../../src/primary/limits/connection-table.ts'
import { UserLimits } from '../../src/primary/limits/limits.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import type { Params, Result, WorkerRequests } from '../../src/wire/requests.ts'
import { createLimits } from '../../src/worker/limits.ts'
import { until } from '../harness/until.ts'

const logger = pino({ level: 'silent' })
const tab = (userId: string, connectionId: string) => ({ userId, connectionId })

describe('the table of connections', () => {
  it('counts a connection once, also when it is reported twice, and ranks connections by arrival', () => {
    const table = new ConnectionTable()
    for (const worker of ['w1', 'w2', 'w1']) table.enter(worker, tab('ann', '1'))
    table.enter('w1', tab('ann', '2'))
    expect(table.count('ann')).toBe(3)
    expect(table.place('w1', tab('ann', '2'))).toBe(3)
    expect(table.leave('w1', tab('ann', '1'))).toBe(true)
    expect(table.leave('w1', tab('ann', '1'))).toBe(false)
    expect(table.leave('w1', tab('bob', '2'))).toBe(false)
    expect(table.place('w1', tab('ann', '1'))).toBe(0)
    expect(table.place('w1', tab('ann', '2'))).toBe(2)
  })

  it('counts the same as a plain list, also after exits of workers', () => {
    const worker = fc.constantFrom('w1', 'w2', 'w3')
    const connection = fc.record({ worker, userId: fc.constantFrom('ann', 'bob'), nth: fc.nat(3) })
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom('enter', 'leave'), on: connection }),
      fc.record({ do: fc.constant('drop'), on: connection }),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const table = new ConnectionTable()
        const list = new Set<string>()
        for (const { do: what, on } of steps) {
          // A connection id belongs to one user.
          const own = tab(on.userId, `${on.userId} ${on.nth}`)
          if (what === 'enter') {
            table.enter(on.worker, own)
            list.add(`${on.worker} ${own.connectionId}`)
          } else if (what === 'leave') {
            expect(table.leave(on.worker, own)).toBe(list.delete(`${on.worker} ${own.connectionId}`))
          } else {
            const dead = [...list].filter((one) => one.startsWith(`${on.worker} `))
            expect(table.dropWorker(on.worker)).toEqual(new Set(dead.map((one) => one.split(' ')[1])))
            for (const one of dead) list.delete(one)
          }
          for (const userId of ['ann', 'bob']) {
            const counted = [...list].filter((one) => one.split(' ')[1] === userId)
            expect(table.count(userId)).toBe(counted.length)
          }
        }
        expect(table.size).toBe(new Set([...list].map((one) => one.split(' ')[1])).size)
      }),
    )
  })
})

/** The shared store: the count of the last write, and pending writes. */
class Store {
  readonly counts = new Map<string, number>()
  readonly reported = new Map<string, number>()
  writes = 0
  away = false
  nowMs = 0
  forgotten = 0
  #held: (() => void)[] | undefined

  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of held) go()
  }

  reporter(options: Partial<ReporterOptions> = {}): ConnectionReporter {
    const reporter = new ConnectionReporter({
      write: async (userId) => {
        this.writes += 1
        const count = this.counts.get(userId) ?? 0
        await new Promise<void>((go) => (this.#held === undefined ? go() : this.#held.push(go)))
        if (this.away) throw new Error('away')
        this.reported.set(userId, count)
        return 7
      },
      isConnected: (userId) => (this.counts.get(userId) ?? 0) > 0,
      onFailed: () => undefined,
      onDropped: () => (this.forgotten += 1),
      now: () => this.nowMs,
      retryMs: 1,
      ...options,
    })
    onTestFinished(() => reporter.close())
    return reporter
  }
}

describe('reporting to other hosts', () => {
  it('runs one write at a time per user, with the last count last', async () => {
    const store = new Store()
    const reporter = store.reporter()
    reporter.setAvailable(true, [])
    store.hold()
    store.counts.set('ann', 1)
    const first = reporter.ask('ann')
    const later = [2, 3, 4].map((count) => {
      store.counts.set('ann', count)
      return reporter.ask('ann')
    })
    expect(store.writes).toBe(1)
    store.release()
    expect(await Promise.all([first, ...later])).toEqual([7, 7, 7, 7])
    expect(store.writes).toBe(2)
    expect(store.reported.get('ann')).toBe(4)
  })

  it('answers at once that the count is unknown, and reports everything when the store is available', async () => {
    const store = new Store()
    const reporter = store.reporter()
    store.counts.set('ann', 1)
    expect(await reporter.ask('ann')).toBeUndefined()
    reporter.report('gone')
    expect(store.writes).toBe(0)
    reporter.setAvailable(true, ['ann', 'bob'])
    await until(() => store.reported.size === 3, 'all users are reported')
    expect([...store.reported]).toEqual(
      expect.arrayContaining([
        ['ann', 1],
        ['gone', 0],
        ['bob', 0],
      ]),
    )
    await until(() => reporter.waiting === 0, 'no report is pending')
  })

  it('retries failed writes', async () => {
    const store = new Store()
    const reporter = store.reporter()
    reporter.setAvailable(true, [])
    store.away = true
    expect(await reporter.ask('ann')).toBeUndefined()
    const { writes } = store
    await until(() => store.writes > writes, 'the write is retried')
    store.away = false
    await until(() => store.reported.has('ann') && reporter.waiting === 0, 'ann is reported')
  })

  it('refreshes the counts of connected users in time, and no longer those of users who left', async () => {
    const store = new Store()
    const reporter = store.reporter({ refreshMs: 1_000 })
    reporter.setAvailable(true, [])
    for (const userId of ['ann', 'bob']) {
      store.counts.set(userId, 1)
      await reporter.ask(userId)
    }
    store.counts.delete('bob')
    await reporter.ask('bob')
    store.reported.clear()
    const { writes } = store
    store.nowMs = 1_000
    await until(() => store.reported.has('ann'), 'ann is reported again')
    expect(store.writes).toBe(writes + 1)
  })

  it('forgets the oldest report past the limit', async () => {
    const store = new Store()
    const reporter = store.reporter({ maxUnreported: 2 })
    for (const userId of ['ann', 'bob', 'cat']) reporter.report(userId)
    expect(store.forgotten).toBe(1)
    reporter.setAvailable(true, [])
    await until(() => store.reported.size === 2, 'the other users are reported')
    expect([...store.reported.keys()]).toEqual(['bob', 'cat'])
  })
})

interface SoloSettings {
  messageBurst?: number
  requestBurst?: number
  connectionsPerUser?: number
}

function soloLimits(settings: SoloSettings = {}): UserLimits {
  const rates = { messageRate: 1, messageBurst: 1_000, requestRate: 1, requestBurst: 1_000 }
  const all = { ...rates, connectionsPerUser: 2, ...settings }
  return new UserLimits({ settings: all, shared: undefined, logger, registry: new Registry() })
}

describe('the limits of a single host', () => {
  it('refuse a connection beyond the limit, and keep the open ones', async () => {
    const limits = soloLimits()
    await limits.enter('w1', tab('ann', '1'))
    await limits.enter('w2', tab('ann', '1'))
    const refused = limits.enter('w3', tab('ann', '1'))
    await expect(refused).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) })
    await limits.enter('w3', tab('bob', '2'))
    await limits.enter('w1', tab('ann', '1'))
    limits.leave('w1', tab('ann', '1'))
    await limits.enter('w3', tab('ann', '3'))
    await expect(limits.enter('w1', tab('ann', '4'))).rejects.toThrow('a user can have 2 connections')
    limits.workerGone('w2')
    await limits.enter('w1', tab('ann', '5'))
  })

  it('accept as many as there is room for when many connect at once', async () => {
    const limits = soloLimits({ connectionsPerUser: 5 })
    const many = Array.from({ length: 9 }, (_, nth) => limits.enter('w1', tab('ann', String(nth))))
    const outcomes = (await Promise.allSettled(many)).map(({ status }) => status)
    expect(outcomes.filter((status) => status === 'fulfilled')).toHaveLength(5)
  })

  it('refuse messages past the burst, per user', async () => {
    const limits = soloLimits({ messageBurst: 3 })
    for (let sent = 0; sent < 3; sent += 1) await limits.takeMessage('ann')
    await expect(limits.takeMessage('ann')).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    })
    await limits.takeMessage('bob')
  })
})

it('pages are refused past their burst, per user and separately from messages', async () => {
  const limits = soloLimits({ messageBurst: 1, requestBurst: 2 })
  for (let taken = 0; taken < 2; taken += 1) await limits.takePage('ann')
  await expect(limits.takePage('ann')).rejects.toMatchObject({
    code: 'rate_limited',
    message: 'too many pages at once',
    retryAfterMs: expect.any(Number),
  })
  await limits.takePage('bob')
  await limits.takeMessage('ann')
})

describe("a connection in a worker's count", () => {
  it('leaves once, also when only the answer was lost', async () => {
    const asked: string[] = []
    const link = {
      refuse: false,
      async request<M extends keyof WorkerRequests>(
        method: M,
        params: Params<WorkerRequests, M>,
      ): Promise<Result<WorkerRequests, M>> {
        asked.push(`${method} ${(params as { connectionId: string }).connectionId}`)
        if (this.refuse && method === 'connection.enter') throw new RookeryError('unavailable', 'no reply')
        return null as Result<WorkerRequests, M>
      },
    }
    const config = { connectionsPerUser: 1 }
    const limits = createLimits({ link, config, logger, registry: new Registry() })
    const end = await limits.admitConnection('ann')
    end()
    end()
    link.refuse = true
    await expect(limits.admitConnection('ann')).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toEqual([
      'connection.enter 1',
      'connection.leave 1',
      'connection.enter 2',
      'connection.leave 2',
    ])
  })
})
