import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalPresence } from '../../src/primary/presence/local-changes.ts'
import { RemotePresence } from '../../src/primary/presence/remote-presence.ts'
import { RelayReceipts } from '../../src/primary/relay/receipts.ts'
import { RecentGrants } from '../../src/primary/relay/recent-grants.ts'
import { RemoteGroups } from '../../src/primary/relay/remote-groups.ts'
import { IncomingParts } from '../../src/primary/relay/remote-parts.ts'
import { BroadcastAcks } from '../../src/worker/adapter/broadcast-acks.ts'
import type { Responses } from '../../src/worker/adapter/pending-requests.ts'
import { incompleteError, PendingServerRequests } from '../../src/worker/adapter/pending-requests.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

const gather = (maxOpen?: number) => {
  const whole: unknown[] = []
  const receipts = new RelayReceipts(
    BEYOND_MS,
    (worker, ref, reached) => whole.push([worker, ref, [...reached]]),
    maxOpen,
  )
  return { receipts, whole }
}

const put = () => {
  const requests = new PendingServerRequests(10)
  const outcome: { answers?: Responses; error?: Error | undefined } = {}
  const id = requests.open(BEYOND_MS, (answers, error) => Object.assign(outcome, { answers, error })) ?? ''
  return { requests, outcome, id }
}

const openAcks = () => {
  const acks = new BroadcastAcks(10)
  const got: unknown[] = []
  const settled: [number, string[]][] = []
  const id = acks.open({
    timeoutMs: BEYOND_MS,
    ack: (value) => got.push(value),
    onComplete: (clients, gone) => settled.push([clients, [...gone]]),
  })
  return { acks, got, settled, id }
}

describe('groups of other hosts', () => {
  it("agree with the host's state after a resync, whatever was lost on the way", () => {
    const step = fc.record({
      topic: fc.constantFrom('a', 'b'),
      worker: fc.constantFrom('w1', 'w2', 'w3'),
      joined: fc.boolean(),
      lost: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const received = new Set<string>()
        const kept = new Set<string>()
        const groups = new RemoteGroups()
        groups.open('H')
        const note = (change: ReturnType<RemoteGroups['change']>) => {
          if (change === undefined || change === 'stale') return
          for (const { topic, worker } of change.left) expect(kept.delete(`${topic} ${worker}`)).toBe(true)
          for (const { topic, worker } of change.entered) kept.add(`${topic} ${worker}`)
        }
        const all = () => {
          const byTopic = ['a', 'b'].map((topic) => ({
            topic,
            workers: ['w1', 'w2', 'w3'].filter((worker) => received.has(`${topic} ${worker}`)),
          }))
          return byTopic.filter(({ workers }) => workers.length > 0)
        }
        let version = 0
        note(groups.replace('H', version, []))
        for (const { topic, worker, joined, lost } of steps) {
          version += 1
          if (joined) received.add(`${topic} ${worker}`)
          else received.delete(`${topic} ${worker}`)
          if (!lost) note(groups.change('H', { topic, worker, joined, version }))
          if (groups.stale().length > 0) note(groups.replace('H', version, all()))
        }
        // The last change may have been lost unnoticed: the next one reveals it.
        groups.change('H', { topic: 'a', worker: 'w1', joined: true, version: version + 2 })
        if (groups.stale().length > 0) note(groups.replace('H', version + 2, all()))
        expect([...kept].toSorted()).toEqual([...received].toSorted())
        expect(groups.size).toBe(received.size)
        const gone = groups.dropHost('H')
        expect([...gone].toSorted()).toEqual(
          [...new Set([...received].map((key) => key.slice(2)))].toSorted(),
        )
      }),
    )
  })

  it('are limited in number', () => {
    const groups = new RemoteGroups(2)
    groups.open('H')
    groups.replace('H', 1, [{ topic: 'a', workers: ['w1', 'w2', 'w3'] }])
    expect([groups.size, groups.refused]).toEqual([2, 1])
  })
})

describe('presence of other hosts', () => {
  it("agrees with the host's state after a resync, whatever was lost on the way", () => {
    const step = fc.record({
      room: fc.constantFrom('den', 'attic'),
      id: fc.constantFrom('ann', 'bob', 'cat'),
      enters: fc.boolean(),
      received: fc.boolean(),
      lost: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, atOnce) => {
        const own = new LocalPresence(atOnce)
        const others = new RemotePresence()
        const here = new Map<string, Set<string>>([
          ['den', new Set()],
          ['attic', new Set()],
        ])
        const apply = (room: string, result: ReturnType<RemotePresence['change']>) => {
          if (result === 'stale') return
          for (const { id } of result.entered) here.get(room)?.add(id)
          for (const id of result.left) expect(here.get(room)?.delete(id)).toBe(true)
        }
        const ask = (rooms: string[]) => {
          for (const { rooms: parts } of own.present(rooms))
            for (const part of parts) apply(part.room, others.present('H', part))
        }
        for (const room of here.keys()) others.open(room, ['H'])
        expect(others.isSynced('den')).toBe(false)
        ask([...here.keys()])
        expect(others.isSynced('den')).toBe(true)
        const truth = new Map<string, Set<string>>()
        for (const { room, id, enters, received, lost } of steps) {
          const members = truth.get(room) ?? new Set<string>()
          truth.set(room, members)
          if (enters) {
            members.add(id)
            own.enter('w1', { room, user: { id, name: id }, sessionId: 'one' })
          } else {
            members.delete(id)
            own.leave('w1', { room, userId: id, sessionId: 'one' })
          }
          if (!received) continue
          for (const delta of own.takeDeltas()) if (!lost) apply(delta.room, others.change('H', delta))
          for (const known of here.keys()) if (others.isStale('H', known)) ask([known])
        }
        own.takeDeltas()
        // The backplane reports losses at the end: everything is requested again.
        ask([...here.keys()])
        for (const [room, members] of here) expect(members).toEqual(truth.get(room) ?? new Set())
        expect(others.users).toBe([...here.values()].reduce((sum, { size }) => sum + size, 0))
        for (const [room, members] of here) expect(others.close(room)).toEqual([['H', [...members]]])
        expect(others.users).toBe(0)
      }),
    )
  })

  it('is sent in messages of a limited size, and accepted up to a limit', () => {
    const own = new LocalPresence(10)
    for (let index = 0; index < 35; index += 1)
      own.enter('w1', { room: 'den', user: { id: `u${index}`, name: 'u' }, sessionId: 'one' })
    const messages = own.present(['den', 'attic'])
    expect(
      messages.map(({ rooms }) => rooms.map(({ room, members, more }) => [room, members.length, more])),
    ).toEqual([
      [['den', 10, true]],
      [['den', 10, true]],
      [['den', 10, true]],
      [
        ['den', 5, false],
        ['attic', 0, false],
      ],
    ])
    expect(own.takeDeltas().map(({ joined, version, after }) => [joined.length, version, after])).toEqual([
      [10, 1, 0],
      [10, 2, 1],
      [10, 3, 2],
      [5, 4, 3],
    ])
    const others = new RemotePresence(20)
    others.open('den', ['H'])
    for (const { rooms } of messages) for (const part of rooms) others.present('H', part)
    expect([others.users, others.refused]).toEqual([20, 15])
  })
})

describe('receipts across hosts', () => {
  it('are complete when every host has answered or left', () => {
    const { receipts, whole } = gather()
    receipts.open({ worker: 'w1', ref: 1, reached: ['w2'], hosts: ['A', 'B', 'C'] })
    receipts.received('A', { worker: 'w1', ref: 1 }, ['A:w1'])
    receipts.received('A', { worker: 'w1', ref: 1 }, ['A:w9'])
    receipts.received('X', { worker: 'w1', ref: 1 }, ['X:w1'])
    receipts.skipHost('B')
    expect(whole).toEqual([])
    receipts.received('C', { worker: 'w1', ref: 1 }, [])
    expect(whole).toEqual([['w1', 1, ['w2', 'A:w1']]])
    expect(receipts.size).toBe(0)
  })

  it('do not wait when no host needs to answer, nor beyond the limit', () => {
    const { receipts, whole } = gather(1)
    receipts.open({ worker: 'w1', ref: 1, reached: ['w2'], hosts: [] })
    receipts.open({ worker: 'w1', ref: 2, reached: [], hosts: ['A'] })
    receipts.open({ worker: 'w1', ref: 3, reached: [], hosts: ['A'] })
    expect(whole).toEqual([
      ['w1', 1, ['w2']],
      ['w1', 3, []],
    ])
    receipts.completeAll()
    expect(whole.at(-1)).toEqual(['w1', 2, []])
    receipts.open({ worker: 'w1', ref: 4, reached: [], hosts: ['A'] })
    receipts.forget('w1')
    expect([receipts.size, whole.length]).toEqual([0, 3])
  })
})

const firstPart = (id: number, rest: number) => ({
  type: 'publication' as const,
  from: 'w1',
  topics: ['t'],
  grants: [],
  body: Buffer.from('abc'),
  part: { id, rest },
})
const nextPart = (id: number, at: number, body: string) => ({
  type: 'part' as const,
  from: 'w1',
  id,
  at,
  body: Buffer.from(body),
})
const incomingParts = (options: { idleMs?: number; maxOpen?: number } = {}) => {
  const abandoned: string[] = []
  const parts = new IncomingParts({
    idleMs: BEYOND_MS,
    ...options,
    abandoned: (worker) => abandoned.push(worker),
  })
  return { abandoned, parts }
}

describe('publications of other hosts in parts', () => {
  it('are complete when all bytes have come in order', () => {
    const { abandoned, parts } = incomingParts()
    expect(parts.begin('A:w1', 'A', firstPart(1, 4))).toBe(true)
    expect(parts.part('A:w1', nextPart(1, 3, 'de'))?.rest).toBe(2)
    expect(parts.part('A:w1', nextPart(1, 5, 'fg'))?.rest).toBe(0)
    expect([parts.size, abandoned]).toEqual([0, []])
    parts.close()
  })

  it.each([
    ['of another publication', nextPart(2, 3, 'd')],
    ['after one that is missing', nextPart(1, 4, 'd')],
    ['that is too long', nextPart(1, 3, 'defgh')],
  ])('end at a part %s, and ignore what follows', (_name, wrong) => {
    const { abandoned, parts } = incomingParts()
    parts.begin('A:w1', 'A', firstPart(1, 4))
    expect(parts.part('A:w1', wrong)).toBeUndefined()
    expect(parts.part('A:w1', nextPart(1, 3, 'defg'))).toBeUndefined()
    expect([parts.size, abandoned]).toEqual([0, ['A:w1']])
    parts.close()
  })

  it('end with their host, past their number, and when nothing comes any more', async () => {
    const { abandoned, parts } = incomingParts({ idleMs: 1, maxOpen: 2 })
    parts.begin('A:w1', 'A', firstPart(1, 4))
    parts.begin('B:w1', 'B', firstPart(1, 4))
    expect(parts.begin('B:w2', 'B', firstPart(1, 4))).toBe(false)
    parts.abandonHost('A')
    expect(abandoned).toEqual(['A:w1'])
    await until(() => parts.size === 0, 'nothing waits for a part')
    expect(abandoned).toEqual(['A:w1', 'B:w1'])
  })
})

describe('granted topics', () => {
  it('are covered for a while; past the limit all topics are covered', () => {
    const grants = new RecentGrants(100, 2)
    grants.note(['a', 'b'], 0)
    expect([grants.covers(['a', 'x'], 99), grants.covers(['x'], 99), grants.covers(['a'], 100)]).toEqual([
      true,
      false,
      false,
    ])
    grants.note(['c', 'd', 'e'], 50)
    expect([grants.covers(['anything'], 149), grants.covers(['anything'], 150)]).toEqual([true, false])
    grants.note(['f'], 500)
    expect(grants.size).toBe(1)
  })
})

describe('server requests of an adapter', () => {
  it('keep answers that arrive before the recipients are known', () => {
    const { requests, outcome, id } = put()
    requests.responded(id, 'w2', 'two')
    requests.responded(id, 'w2', 'once more')
    requests.serverFailed(id, 'w3')
    requests.serverGone('w4')
    requests.serverGone('w9')
    requests.recipientsKnown(id, ['w2', 'w3', 'w4', 'A:w1'])
    expect(outcome).toEqual({})
    requests.responded(id, 'A:w1', 'far')
    expect(outcome.answers).toEqual({ values: ['two', 'far'], missing: ['w4'], failed: ['w3'], late: [] })
    expect(requests.size).toBe(0)
  })

  it('name the servers that could not answer, or not in time', () => {
    const all = { values: ['two'], missing: ['w4'], failed: [], late: [] }
    expect(incompleteError(all)).toBeUndefined()
    expect(incompleteError({ ...all, failed: ['w3'], late: ['A:w1'] })).toMatchObject({
      message: 'timeout reached: missing 2 responses (w3, A:w1)',
      missing: ['w3', 'A:w1'],
      responses: ['two'],
    })
  })

  it('are settled by the receipt when all have answered before it', () => {
    const { requests, outcome, id } = put()
    requests.responded(id, 'w2', 'two')
    requests.recipientsKnown(id, ['w2'])
    expect(outcome.answers?.values).toEqual(['two'])
  })

  it('fail with the answers so far when the recipients are unknown at the deadline', async () => {
    const requests = new PendingServerRequests(10)
    const settled = new Promise<[Responses, Error | undefined]>((resolve) => {
      const id = requests.open(1, (answers, error) => resolve([answers, error])) ?? ''
      requests.responded(id, 'w2', 'two')
    })
    const [answers, error] = await settled
    expect(answers.values).toEqual(['two'])
    expect(error?.message).toMatch('not every host has said')
  })
})

describe('broadcasts that clients acknowledge', () => {
  it('keep acks that arrive before the recipients are known', () => {
    const { acks, got, settled, id } = openAcks()
    acks.clientCount(id, 'w2', 2)
    acks.acked(id, 'w2', 'a')
    acks.acked(id, 'w3', 'c')
    acks.serverGone('w4')
    acks.recipientsKnown(id, ['w2', 'w3', 'w4'])
    expect(settled).toEqual([])
    acks.acked(id, 'w2', 'b')
    acks.clientCount(id, 'w3', 1)
    expect([got, settled]).toEqual([['a', 'c', 'b'], [[3, ['w4']]]])
    expect(acks.size).toBe(0)
  })

  it('count earlier acks of a server that is not in the receipt, and wait for no more of them', () => {
    const { acks, settled, id } = openAcks()
    acks.clientCount(id, 'A:w1', 5)
    acks.acked(id, 'A:w1', 'one')
    acks.recipientsKnown(id, [])
    expect(settled).toEqual([[1, []]])
  })
})
