/** In any order of joins, leaves and disconnects, presence is counted once and released once, and rooms close. */
import * as fc from 'fast-check'
import pino from 'pino'
import { Registry } from 'prom-client'
import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { chatMetrics } from '../../src/chat/metrics.ts'
import { Memberships } from '../../src/chat/rooms/memberships.ts'
import { RoomFeeds } from '../../src/chat/rooms/room-feeds.ts'
import { TrackedRooms } from '../../src/chat/rooms/tracked-rooms.ts'
import { Session } from '../../src/chat/session.ts'
import type { Rooms } from '../../src/wire/app.ts'
import { RookeryError } from '../../src/wire/errors.ts'

/** Rooms that answer when the test lets them, in the order that the test picks. */
class SlowRooms {
  readonly waiting: { resolve: () => void; reject: (error: Error) => void; lose: () => void }[] = []
  /** Presence sessions; all in one room. */
  readonly present = new Set<string>()
  readonly own = new Set<string>()
  open = 0
  readonly rooms: Rooms = {
    open: () =>
      this.#later(() => {
        this.open += 1
        return { close: () => void (this.open -= 1) }
      }),
    append: () => this.#later(() => ({ seq: 1, at: 1, duplicate: false })),
    read: () => this.#later(() => ({ epoch: 'e', head: 0, first: 1, entries: [], more: false })),
    enter: (_room, user, sessionId) => {
      // As on the link, a leave takes effect after an enter that was requested before it.
      this.present.add(sessionId)
      return this.#later(
        () => ({ members: [user], count: 1 }),
        () => this.present.delete(sessionId),
      )
    },
    leave: (_room, _userId, sessionId) => void this.present.delete(sessionId),
    members: () => this.#later(() => ({ members: [], count: 0 })),
    trackRoom: (userId, room) => this.#later(() => void this.own.add(`${userId} ${room}`)),
    forgetRoom: (userId, room) => this.#later(() => void this.own.delete(`${userId} ${room}`)),
    markRead: (_userId, _room, seq) => this.#later(() => seq),
    userRooms: () => this.#later(() => []),
  }

  #later<T>(answer: () => T, refused: () => void = () => undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        resolve: () => resolve(answer()),
        reject: (error) => {
          refused()
          reject(error)
        },
        /** The request is carried out, but the answer comes too late. */
        lose: () => reject(new RookeryError('unavailable', 'no reply in time')),
      })
    })
  }

  /** Answers all requests until there are none. */
  async answerAll(): Promise<void> {
    do {
      for (const one of this.waiting.splice(0)) one.resolve()
      await turn()
    } while (this.waiting.length > 0)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

let seatsMade = 0

class Seat {
  readonly socket = {
    id: 'socket',
    connected: true,
    emit: () => true,
    join: () => undefined,
    leave: () => undefined,
  }
  readonly session: Session

  constructor(userId: string) {
    seatsMade += 1
    this.socket.id = `socket ${seatsMade}`
    this.session = new Session(
      this.socket as unknown as Socket,
      { id: userId, name: userId },
      { isSlow: () => false, takePage: async () => undefined },
    )
  }

  get connected(): boolean {
    return this.socket.connected
  }
}

function setUp(roomsPerSocket = 10, isPersistentUser: (userId: string) => boolean = () => true) {
  const store = new SlowRooms()
  const metrics = chatMetrics(new Registry())
  const output = {
    fanOut: () => [],
    onSlow: () => undefined,
    onRecovered: () => undefined,
    onDelivered: () => undefined,
    onGap: () => undefined,
  }
  const logger = pino({ level: 'silent' })
  const feeds = new RoomFeeds({ rooms: store.rooms, output, logger, openRooms: metrics.openRooms })
  const trackedRooms = new TrackedRooms({ rooms: store.rooms, isPersistentUser, announce: () => undefined })
  const memberships = new Memberships({
    rooms: store.rooms,
    feeds,
    trackedRooms,
    isPersistentUser,
    roomsPerSocket,
    joins: metrics.joins,
    untracked: metrics.untracked,
  })
  const join = async (seat: Seat, room = 'lobby') => {
    const { answer, onSent } = await memberships.join(seat.session, { room, limit: 50 })
    onSent()
    return answer
  }
  const drop = (seat: Seat) => {
    seat.socket.connected = false
    memberships.drop(seat.session)
  }
  return { store, feeds, memberships, join, drop }
}

describe('memberships', () => {
  it('join, share the room’s subscription, and close it when the last one leaves', async () => {
    const { store, memberships, join } = setUp()
    const [one, two] = [new Seat('a'), new Seat('b')]
    const joins = Promise.all([join(one), join(two)])
    await store.answerAll()
    expect((await joins)[0].members).toEqual([{ id: 'a', name: 'a' }])
    expect(store.open).toBe(1)
    expect(store.present.size).toBe(2)
    const left = memberships.leave(one.session, 'lobby')
    await store.answerAll()
    await left
    expect(store.open).toBe(1)
    expect(store.own).toEqual(new Set(['b lobby']))
    const gone = memberships.leave(two.session, 'lobby')
    await store.answerAll()
    await gone
    expect(store.open).toBe(0)
    expect(store.present.size).toBe(0)
  })

  it('keep the room on the user’s list while another socket of the user is in it', async () => {
    const { store, memberships, join } = setUp()
    const tabs = [new Seat('a'), new Seat('a')]
    const joins = Promise.all(tabs.map((tab) => join(tab)))
    await store.answerAll()
    await joins
    const [one, two] = tabs
    if (one === undefined || two === undefined) throw new Error('two tabs')
    const left = memberships.leave(one.session, 'lobby')
    await store.answerAll()
    await left
    expect(store.own).toEqual(new Set(['a lobby']))
    const last = memberships.leave(two.session, 'lobby')
    await store.answerAll()
    await last
    expect(store.own).toEqual(new Set())
  })

  it('keep the room on the user’s list when the connection is lost', async () => {
    const { store, join, drop } = setUp()
    const seat = new Seat('a')
    const joined = join(seat)
    await store.answerAll()
    await joined
    drop(seat)
    await store.answerAll()
    expect(store.present.size).toBe(0)
    expect(store.open).toBe(0)
    expect(store.own).toEqual(new Set(['a lobby']))
  })

  it('delay a send until the pending join succeeds, and refuse it without one', async () => {
    const { store, memberships, join } = setUp()
    const seat = new Seat('a')
    await expect(memberships.require(seat.session, 'lobby')).rejects.toMatchObject({ code: 'not_joined' })
    const joined = join(seat)
    const required = memberships.require(seat.session, 'lobby')
    await store.answerAll()
    await expect(required).resolves.toBeUndefined()
    await joined
  })

  it('are limited per connection', async () => {
    const { store, join } = setUp(2)
    const seat = new Seat('a')
    const joins = Promise.all([join(seat, 'one'), join(seat, 'two')])
    await store.answerAll()
    await joins
    await expect(join(seat, 'three')).rejects.toMatchObject({ code: 'forbidden' })
    const again = join(seat, 'two')
    await store.answerAll()
    await expect(again).resolves.toMatchObject({ room: 'two' })
  })

  it('can be left without a join: the room is removed from the user’s list', async () => {
    const { store, memberships } = setUp()
    store.own.add('a dm:a:b')
    const left = memberships.leave(new Seat('a').session, 'dm:a:b')
    await store.answerAll()
    await left
    expect(store.own).toEqual(new Set())
  })

  it('are undone when the store refuses, and can be retried', async () => {
    const { store, join } = setUp()
    const seat = new Seat('a')
    const refused = join(seat)
    refused.catch(() => undefined)
    while (store.waiting.length === 0) await turn()
    const [opening] = store.waiting.splice(0, 1)
    opening?.reject(new RookeryError('unavailable', 'the store is away'))
    await store.answerAll()
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
    expect(seat.session.memberships.size).toBe(0)
    const joined = join(seat)
    await store.answerAll()
    await expect(joined).resolves.toMatchObject({ head: 0 })
    expect(store.open).toBe(1)
    expect(store.present.size).toBe(1)
  })

  it('are not stored for a user who never returns', async () => {
    const { store, memberships, join } = setUp(10, (userId) => userId !== 'passing')
    const [passing, lasting] = [new Seat('passing'), new Seat('a')]
    const joins = Promise.all([join(passing), join(lasting)])
    await store.answerAll()
    await joins
    expect(store.own).toEqual(new Set(['a lobby']))
    const left = memberships.leave(passing.session, 'lobby')
    await store.answerAll()
    await left
    expect(store.present.size).toBe(1)
  })

  it('leave presence when the answer to the enter request came too late', async () => {
    const { store, join } = setUp()
    const seat = new Seat('a')
    const refused = join(seat)
    refused.catch(() => undefined)
    while (store.waiting.length === 0) await turn()
    store.waiting.shift()?.resolve()
    while (store.present.size === 0) await turn()
    for (const one of store.waiting.splice(0)) one.lose()
    await store.answerAll()
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
    expect(store.present.size).toBe(0)
    expect(store.open).toBe(0)
  })

  it('open the room again after a failure, while others still hold the failed one', async () => {
    const { store, feeds } = setUp()
    const failed = feeds.acquire('lobby')
    const refused = expect(failed.opened).rejects.toThrow('away')
    store.waiting.shift()?.reject(new Error('away'))
    await refused
    const held = feeds.acquire('lobby')
    await store.answerAll()
    await held.opened
    failed.release()
    failed.release()
    await store.answerAll()
    expect(store.open).toBe(1)
    held.release()
    await store.answerAll()
    expect(store.open).toBe(0)
  })

  it('release everything in the end, in any order of events', async () => {
    const step = fc.record({
      do: fc.constantFrom('join', 'leave', 'drop', 'answer', 'refuse', 'lose'),
      who: fc.nat(2),
      which: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { store, memberships, join, drop } = setUp()
        const seats = [new Seat('a'), new Seat('a'), new Seat('b')]
        const ends: Promise<PromiseSettledResult<unknown>[]>[] = []
        const ask = (asked: Promise<unknown>) => ends.push(Promise.allSettled([asked]))
        for (const one of steps) {
          const seat = seats[one.who]
          if (seat === undefined) continue
          if (one.do === 'join' && seat.connected) ask(join(seat))
          if (one.do === 'leave' && seat.connected) ask(memberships.leave(seat.session, 'lobby'))
          if (one.do === 'drop') drop(seat)
          const [answer] = store.waiting.splice(one.which % Math.max(1, store.waiting.length), 1)
          if (one.do === 'refuse') answer?.reject(new RookeryError('unavailable', 'refused by the test'))
          else if (one.do === 'lose') answer?.lose()
          else answer?.resolve()
          await turn()
        }
        await store.answerAll()
        for (const end of (await Promise.all(ends)).flat()) {
          if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(RookeryError)
        }
        const members = seats.filter((seat) => seat.session.memberships.size > 0)
        expect(store.present.size).toBe(members.length)
        expect(store.open).toBe(members.length > 0 ? 1 : 0)
        for (const seat of seats) drop(seat)
        await store.answerAll()
        expect(store.present.size).toBe(0)
        expect(store.open).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
