import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { rate } from '../../src/chat/requests/rate.ts'
import { ReadMarkers } from '../../src/chat/requests/read-markers.ts'
import { history, resume } from '../../src/chat/rooms/pages.ts'
import { TrackedRooms } from '../../src/chat/rooms/tracked-rooms.ts'
import { Session } from '../../src/chat/session.ts'
import type { RoomRange } from '../../src/wire/app.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import { PresenceBacklog } from '../../src/wire/presence-backlog.ts'

const user = (id: string) => ({ id, name: id })
const seqs = (page: { messages: { seq: number }[] }) => page.messages.map(({ seq }) => seq)
const newSession = () =>
  new Session({} as Socket, user('u'), { isSlow: () => false, takePage: async () => undefined })

describe('a session', () => {
  it('runs requests one at a time, also after one that failed', async () => {
    const session = newSession()
    const order: string[] = []
    const run = (name: string) =>
      session.runInOrder(async () => {
        order.push(`${name} begins`)
        await Promise.resolve()
        order.push(`${name} ends`)
        if (name === 'a') throw new Error('a fails')
        return name
      })
    const [first, second] = await Promise.allSettled([run('a'), run('b')])
    expect(first).toMatchObject({ status: 'rejected' })
    expect(second).toEqual({ status: 'fulfilled', value: 'b' })
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('limits the number of waiting requests', async () => {
    const session = newSession()
    const opens: (() => void)[] = []
    const gate = new Promise<void>((resolve) => opens.push(resolve))
    const waiting = Array.from({ length: 256 }, () => session.runInOrder(() => gate))
    await expect(session.runInOrder(() => gate)).rejects.toMatchObject({ code: 'rate_limited' })
    for (const open of opens) open()
    await Promise.all(waiting)
    await expect(session.runInOrder(async () => 'again')).resolves.toBe('again')
  })

  it('gives no page to a client that is behind when its request starts', async () => {
    let behind = false
    const session = new Session({} as Socket, user('u'), {
      isSlow: () => behind,
      takePage: async () => undefined,
    })
    const first = session.runPageRequest(async () => {
      behind = true
      return 'page'
    })
    const second = session.runPageRequest(async () => 'page')
    const other = session.runInOrder(async () => 'no page')
    await expect(first).resolves.toBe('page')
    await expect(second).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 })
    await expect(other).resolves.toBe('no page')
    behind = false
    await expect(session.runPageRequest(async () => 'page')).resolves.toBe('page')
  })

  it('lets a page wait for its turn, but not for long, and not beyond a drain', async () => {
    const refusals = [40, 20, 600_000]
    const session = new Session({ connected: true } as Socket, user('u'), {
      isSlow: () => false,
      takePage: async () => {
        const retryAfterMs = refusals.shift()
        if (retryAfterMs !== undefined) throw new RookeryError('rate_limited', 'too much', { retryAfterMs })
      },
    })
    const first = session.runPageRequest(async () => 'page')
    await expect(first).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 600_000 })
    expect(refusals).toEqual([])
    refusals.push(1)
    await expect(session.runPageRequest(async () => 'page')).resolves.toBe('page')
    refusals.push(5_000)
    const last = session.runPageRequest(async () => 'page')
    await new Promise((resolve) => setImmediate(resolve))
    await session.finishRequests()
    await expect(last).rejects.toMatchObject({ code: 'draining' })
  })

  it('finishes when all open requests have been answered', async () => {
    const session = newSession()
    await session.finishRequests()
    const owing = newSession()
    owing.startRequest()
    owing.startRequest()
    let settled = false
    const settling = owing.finishRequests().then(() => {
      settled = true
    })
    expect(owing.draining).toBe(true)
    owing.endRequest()
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    owing.endRequest()
    await settling
    expect(settled).toBe(true)
  })
})

describe('rates', () => {
  it('allow a burst and report when to retry', async () => {
    const take = rate(10, 3)
    await Promise.all([take('u'), take('u'), take('u')])
    const error: unknown = await take('u').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true })
    const { retryAfterMs } = error as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(300)
    await take('another')
  })
})

describe('missed presence', () => {
  it('is the latest state of each user', () => {
    const backlog = new PresenceBacklog()
    expect(backlog.take()).toBeUndefined()
    backlog.add({ joined: [user('a'), user('b')], left: [], count: 2 })
    backlog.add({ joined: [], left: [{ id: 'a' }], count: 1 })
    expect(backlog.take()).toEqual({ joined: [user('b')], left: [{ id: 'a' }], count: 1 })
    expect(backlog.take()).toBeUndefined()
  })

  it('is only the count past the limit', () => {
    const backlog = new PresenceBacklog()
    const many = Array.from({ length: 501 }, (_, i) => user(`u${i}`))
    backlog.add({ joined: many, left: [], count: 501 })
    backlog.add({ joined: [user('last')], left: [], count: 502 })
    expect(backlog.take()).toEqual({ joined: [], left: [], count: 502 })
    backlog.add({ joined: [user('a')], left: [], count: 3 })
    expect(backlog.take()).toEqual({ joined: [user('a')], left: [], count: 3 })
  })
})

describe('read markers', () => {
  it('are announced when they move forward, and forgotten past a limit', () => {
    const markers = new ReadMarkers()
    expect(markers.advance('u', 'lobby', 0)).toBe(false)
    expect(markers.advance('u', 'lobby', 5)).toBe(true)
    expect(markers.advance('u', 'lobby', 5)).toBe(false)
    expect(markers.advance('u', 'lobby', 4)).toBe(false)
    expect(markers.advance('v', 'lobby', 4)).toBe(true)
    for (let i = 0; i < 10_000; i += 1) markers.advance(`w${i}`, 'lobby', 1)
    expect(markers.advance('u', 'lobby', 5)).toBe(true)
  })
})

describe('tracked direct rooms', () => {
  it('are stored for both users once per interval, and again after a failure', async () => {
    const asked: string[] = []
    let failing = false
    const store = {
      trackRoom: async (userId: string, room: string) => {
        asked.push(`${userId} ${room}`)
        if (failing) throw new Error('away')
      },
      forgetRoom: async () => undefined,
    }
    const told: string[] = []
    const trackedRooms = new TrackedRooms({
      rooms: store,
      isPersistentUser: (userId) => userId !== 'passing',
      announce: (userId, room) => told.push(`${userId} ${room}`),
    })
    await trackedRooms.ensure('dm:passing:passing', 0)
    await trackedRooms.ensure('lobby', 0)
    expect(asked).toEqual([])
    await Promise.all([trackedRooms.ensure('dm:a:b', 0), trackedRooms.ensure('dm:a:b', 1)])
    expect(asked).toEqual(['a dm:a:b', 'b dm:a:b'])
    await trackedRooms.forget('a', 'dm:a:b')
    await trackedRooms.forget('a', 'lobby')
    expect(told).toEqual(['a dm:a:b'])
    await trackedRooms.ensure('dm:a:b', 2)
    expect(asked.splice(0)).toEqual(['a dm:a:b', 'b dm:a:b', 'a dm:a:b'])
    failing = true
    await expect(trackedRooms.ensure('dm:a:b', 60_000)).rejects.toThrow('away')
    failing = false
    await trackedRooms.ensure('dm:a:b', 60_001)
    expect(asked).toEqual(['a dm:a:b', 'b dm:a:b', 'a dm:a:b', 'b dm:a:b'])
  })
})

describe('pages', () => {
  /** A log that keeps 11 to 20. */
  const log = {
    read: async (_room: string, range: RoomRange) => {
      const all = Array.from({ length: 10 }, (_, i) => i + 11)
      const after = 'after' in range ? all.filter((seq) => seq > range.after) : all
      const left = 'before' in range ? after.filter((seq) => seq < range.before) : after
      const kept = 'after' in range ? left.slice(0, range.limit) : left.slice(-range.limit)
      const entries = kept.map((seq) => ({
        room: 'lobby',
        seq,
        id: `m${seq}`,
        kind: 'text' as const,
        from: { id: 'u', name: 'U' },
        text: 'x',
        at: seq,
      }))
      return { epoch: 'e1', head: 20, first: 11, entries, more: kept.length < left.length }
    },
  }
  it('of history read in both directions', async () => {
    expect(seqs(await history(log, 'lobby', { limit: 2 }))).toEqual([19, 20])
    expect(seqs(await history(log, 'lobby', { before: 14, limit: 2 }))).toEqual([12, 13])
    const page = await history(log, 'lobby', { after: 14, limit: 2 })
    expect(page).toMatchObject({ epoch: 'e1', head: 20, more: true })
    expect(seqs(page)).toEqual([15, 16])
  })

  it('are cut where they would be too large, and report that there is more', async () => {
    const text = '\u0001'.repeat(50_000)
    const entries = [1, 2, 3, 4, 5].map((seq) => ({
      room: 'lobby',
      seq,
      id: `m${seq}`,
      kind: 'text' as const,
      from: user('u'),
      text,
      at: seq,
    }))
    const large = { read: async () => ({ epoch: 'e', head: 5, first: 1, entries, more: false }) }
    const older = await history(large, 'lobby', { after: 0, limit: 5 })
    expect([seqs(older), older.more]).toEqual([[1, 2, 3], true])
    const newer = await history(large, 'lobby', { limit: 5 })
    expect([seqs(newer), newer.more]).toEqual([[3, 4, 5], true])
    const [first] = entries
    if (first === undefined) throw new Error('an entry')
    const huge = { ...first, text: text.repeat(10) }
    const one = { read: async () => ({ epoch: 'e', head: 1, first: 1, entries: [huge], more: false }) }
    expect(await history(one, 'lobby', { limit: 5 })).toMatchObject({ messages: [{ seq: 1 }], more: false })
  })

  it.each([
    ['nothing known', {}, false, [18, 19, 20]],
    ['the same log', { after: 15, epoch: 'e1' }, false, [16, 17, 18]],
    ['no epoch', { after: 19 }, false, [20]],
    ['nothing missed', { after: 20, epoch: 'e1' }, false, []],
    ['the oldest that follows', { after: 10, epoch: 'e1' }, false, [11, 12, 13]],
    ['older than the log keeps', { after: 9, epoch: 'e1' }, true, [18, 19, 20]],
    ['ahead of the log', { after: 21, epoch: 'e1' }, true, [18, 19, 20]],
    ['another log', { after: 15, epoch: 'e0' }, true, [18, 19, 20]],
    ['another log, and no place in it', { epoch: 'e0' }, true, [18, 19, 20]],
  ])('of a join with %s', async (_what, asked, reset, expected) => {
    const page = await resume(log, 'lobby', { ...asked, limit: 3 })
    expect(page.reset).toBe(reset)
    expect(seqs(page)).toEqual(expected)
  })
})
