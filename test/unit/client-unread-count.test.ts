/** Unread counts, compared with a server's own count of the same log. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, Page, RoomSummary } from '../../src/client/connection/guards.ts'
import type { ChatError } from '../../src/client/errors.ts'
import { RoomSummaries } from '../../src/client/room/room-summaries.ts'
import { UnreadCount } from '../../src/client/room/unread-count.ts'
import { UnreadTracker } from '../../src/client/room/unread-tracker.ts'
import { MessageList } from '../../src/client/timeline/messages.ts'
import { Timeline } from '../../src/client/timeline/timeline.ts'

const me = { id: 'me', name: 'Me' }
const other = { id: 'other', name: 'Other' }
const ROOM = 'lobby'

/** The server's log, with the user's read marker. */
class Log {
  readonly entries: Entry[] = []
  readonly #removed = new Set<number>()
  read = 0

  get head(): number {
    return this.entries.length
  }

  text(from: Entry['from']): Entry {
    const entry = this.#add({ kind: 'text', from, text: 'x' })
    if (from === me) this.read = entry.seq
    return entry
  }

  edit(target: number): Entry {
    return this.#add({ kind: 'edit', from: this.entries[target - 1]?.from ?? me, text: 'y', target })
  }

  /** @returns undefined if the server would refuse it */
  remove(target: number): Entry | undefined {
    const aim = this.entries[target - 1]
    if (aim?.kind !== 'text' || this.#removed.has(target)) return undefined
    this.#removed.add(target)
    return this.#add({ kind: 'remove', from: aim.from, target })
  }

  mark(seq: number): void {
    this.read = Math.max(this.read, Math.min(seq, this.head))
  }

  summary(): RoomSummary {
    const unread = this.entries.filter(
      ({ seq, kind }) => kind === 'text' && seq > this.read && !this.#removed.has(seq),
    ).length
    return { room: ROOM, head: this.head, read: this.read, unread }
  }

  page(): Page {
    return { epoch: 'e', head: this.head, messages: [...this.entries], more: false }
  }

  #add(what: Pick<Entry, 'kind' | 'from'> & Partial<Entry>): Entry {
    const seq = this.head + 1
    const entry: Entry = { room: ROOM, seq, id: `m${seq}`, at: seq, ...what }
    this.entries.push(entry)
    return entry
  }
}

/** A joined room of that log, as in the client. */
class Room {
  readonly log = new Log()
  readonly timeline = new Timeline({ windowMax: 1_000, loadedMax: 1_000 })
  readonly #messages = new MessageList()
  readonly unread = new UnreadTracker({
    unreadCount: new UnreadCount(ROOM),
    timeline: this.timeline,
    list: this.#messages,
    me: () => me.id,
  })

  join(): void {
    this.#show(this.timeline.addJoinPage(this.log.page(), false).added)
  }

  live(entry: Entry | undefined): void {
    if (entry !== undefined) this.#show(this.timeline.addLive(entry).added)
  }

  #show(entries: readonly Entry[]): void {
    for (const entry of entries) this.#messages.add(entry)
    this.unread.add(entries)
  }
}

const anySeq = fc.integer({ min: 1, max: 30 })
const step = fc.oneof(
  fc.record({ do: fc.constant('text'), isOwn: fc.boolean(), seq: fc.constant(0) }),
  fc.record({
    do: fc.constantFrom('edit', 'remove', 'mark', 'told'),
    isOwn: fc.constant(false),
    seq: anySeq,
  }),
)

describe('a joined room', () => {
  it('counts as the server does after each of its summaries, in any order of events', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(20), (steps, before) => {
        const room = new Room()
        for (let i = 0; i < before; i += 1) room.log.text(i % 3 === 0 ? me : other)
        room.join()
        room.unread.applySummary(room.log.summary())
        let late = room.log.summary()
        for (const one of steps) {
          if (one.do === 'text') room.live(room.log.text(one.isOwn ? me : other))
          if (one.do === 'edit' && one.seq <= room.log.head) room.live(room.log.edit(one.seq))
          if (one.do === 'remove') room.live(room.log.remove(one.seq))
          if (one.do === 'mark') {
            room.log.mark(one.seq)
            room.unread.readUpTo(Math.min(one.seq, room.log.head))
          }
          // A summary that is older than what has arrived since.
          if (one.do === 'told') room.unread.applySummary(late)
          if (one.seq % 5 === 0) late = room.log.summary()
          const { unread, read } = room.log.summary()
          expect([room.unread.count, room.unread.read]).toEqual([unread, read])
        }
      }),
      { numRuns: 500 },
    )
  })

  it('counts entries from its join on when there is no summary', () => {
    const room = new Room()
    room.log.text(other)
    room.join()
    expect(room.unread.count).toBe(0)
    room.live(room.log.text(other))
    expect(room.unread.count).toBe(1)
  })

  it('knows what was read while its first page was shown', () => {
    const room = new Room()
    room.log.text(other)
    room.unread.readUpTo(1)
    room.join()
    expect([room.unread.count, room.unread.read]).toEqual([0, 1])
  })

  it('does not count an entry that is read at the moment it arrives', () => {
    const room = new Room()
    room.join()
    const [entry] = [room.log.text(other)]
    room.unread.readUpTo(entry.seq)
    room.live(entry)
    expect([room.unread.count, room.unread.read]).toEqual([0, 1])
    room.live(room.log.text(other))
    expect(room.unread.count).toBe(1)
  })

  it('counts nothing twice when the server has counted entries that are still in transit', () => {
    const room = new Room()
    room.join()
    const coming = [room.log.text(other), room.log.text(other)]
    room.unread.applySummary(room.log.summary())
    expect(room.unread.count).toBe(2)
    for (const entry of coming) room.live(entry)
    expect(room.unread.count).toBe(2)
  })
})

/** A server that answers on demand. */
class Server {
  readonly asked: { answer: (rooms: unknown) => void; fail: (error: Error) => void }[] = []
  readonly changes: [RoomSummary, string | undefined][] = []
  readonly failures: unknown[] = []
  readonly summaries = new RoomSummaries({
    fetch: (use) =>
      new Promise<unknown>((resolve, reject) => {
        this.asked.push({ answer: (rooms) => resolve({ rooms }), fail: reject })
      }).then((answer) => use(answer as { rooms: unknown })),
    me: () => me.id,
    isJoined: () => false,
    namesOf: (room) => [room],
    updateJoined: () => false,
    changed: (summary, from) => this.changes.push([summary, from?.name]),
    failed: (error) => this.failures.push(error),
  })

  news(head: number, from = other): void {
    this.summaries.handle('room', { room: 'dm', head, from })
  }

  read(seq: number): void {
    this.summaries.handle('read', { room: 'dm', user: { id: me.id }, seq })
  }

  async answer(rooms: unknown): Promise<void> {
    this.asked.shift()?.answer(rooms)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function dm(head: number, read: number, unread: number): RoomSummary {
  return { room: 'dm', head, read, unread }
}

describe('a direct room that is not joined', () => {
  it('is requested once, then counted locally', async () => {
    const server = new Server()
    server.news(7)
    server.news(8)
    expect(server.asked).toHaveLength(1)
    await server.answer([dm(7, 4, 3)])
    server.news(9)
    server.news(9)
    server.read(9)
    server.news(10, me)
    expect(server.asked).toEqual([])
    expect(server.changes).toEqual([
      [dm(7, 4, 3), 'Other'],
      [dm(8, 4, 4), 'Other'],
      [dm(9, 4, 5), 'Other'],
      [dm(9, 9, 0), undefined],
      [dm(10, 10, 0), 'Me'],
    ])
  })

  it('includes what came while the request was open, read or unread', async () => {
    const server = new Server()
    const listed = server.summaries.list()
    server.news(5)
    server.read(5)
    server.news(6)
    await server.answer([dm(4, 0, 4)])
    expect(await listed).toEqual([dm(4, 0, 4)])
    expect(server.changes.at(-1)).toEqual([dm(6, 5, 1), 'Other'])
  })

  it("is counted from the first notification on when the server's list lacks it", async () => {
    const server = new Server()
    server.news(3)
    await server.answer([])
    server.news(4)
    expect(server.changes).toEqual([
      [dm(3, 0, 1), 'Other'],
      [dm(4, 0, 2), 'Other'],
    ])
  })

  it('is reported even when the list cannot be fetched, and so is the reason', async () => {
    const server = new Server()
    server.news(3)
    await server.answer('no list')
    expect(server.changes).toEqual([[dm(3, 0, 1), 'Other']])
    expect(server.failures).toMatchObject([{ code: 'bad_answer' } satisfies Partial<ChatError>])
  })

  it('is requested again after a reconnect, and reported where it has changed', async () => {
    const server = new Server()
    server.summaries.refresh()
    expect(server.asked).toEqual([])
    const listed = server.summaries.list()
    await server.answer([dm(4, 4, 0), { room: 'same', head: 1, read: 1, unread: 0 }])
    await listed
    server.changes.length = 0
    server.summaries.refresh()
    await server.answer([dm(6, 4, 2), { room: 'same', head: 1, read: 1, unread: 0 }])
    expect(server.changes).toEqual([[dm(6, 4, 2), undefined]])
  })

  it('ignores what does not fit the protocol', async () => {
    const server = new Server()
    for (const payload of [{}, { room: 1, head: 2, from: other }, { room: 'dm', head: -1, from: other }])
      server.summaries.handle('room', payload)
    server.summaries.handle('room', { room: 'dm', head: 1, from: 'Other' })
    server.summaries.handle('read', { room: 'dm', seq: 1, user: null })
    server.summaries.handle('read', { room: 'dm', seq: 1, user: { id: other.id } })
    expect(server.asked).toEqual([])
    const listed = server.summaries.list()
    await server.answer([dm(1, 0, 1), null, { room: 'dm' }, { room: 'x', head: -1, read: 0, unread: 0 }])
    expect(await listed).toEqual([dm(1, 0, 1)])
  })

  it('does not grow without bound', async () => {
    const server = new Server()
    const listed = server.summaries.list()
    const rooms = Array.from({ length: 2_500 }, (_, i) => ({ room: `r${i}`, head: 1, read: 0, unread: 1 }))
    await server.answer(rooms)
    await listed
    server.changes.length = 0
    // A dropped count is reported again; a kept one is not.
    server.summaries.changed('r2499')
    expect(server.changes).toEqual([])
    server.summaries.changed('r0')
    expect(server.changes).toEqual([[{ room: 'r0', head: 0, read: 0, unread: 0 }, undefined]])
  })
})
