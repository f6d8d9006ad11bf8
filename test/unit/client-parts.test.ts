/** Small parts of the client: message list, roster, persistence, and validation of what the server sends. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Clock, systemClock, Timer } from '../../src/client/connection/clock.ts'
import { type Entry, errorOf, isEntry, limitsOf, pageOf } from '../../src/client/connection/guards.ts'
import { Emitter } from '../../src/client/emitter.ts'
import type { RoomContext } from '../../src/client/room/room-context.ts'
import type { RoomEvents } from '../../src/client/room/room-events.ts'
import { RoomMembers } from '../../src/client/room/room-members.ts'
import { Roster, TYPING_TIMEOUT_MS } from '../../src/client/room/roster.ts'
import { newId } from '../../src/client/sending/ids.ts'
import { Persistence } from '../../src/client/sending/persistence.ts'
import { memoryStorage, type Pending } from '../../src/client/sending/storage.ts'
import { MessageList } from '../../src/client/timeline/messages.ts'
import { logEntry, messageId } from '../../src/wire/entry.ts'

const ann = { id: 'u1', name: 'Ann' }
const bob = { id: 'u2', name: 'Bob' }

function entry(seq: number, more: Partial<Entry> = {}): Entry {
  return { room: 'lobby', seq, id: `m${seq}`, kind: 'text', from: ann, text: `text ${seq}`, at: seq, ...more }
}

/** A clock that advances on demand. */
class ManualClock implements Clock {
  time = 0
  #timers: { at: number; run: () => void }[] = []
  now = () => this.time
  wallNow = () => 0
  after = (ms: number, run: () => void) => {
    const timer = { at: this.time + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get timers(): number {
    return this.#timers.length
  }

  advance(ms: number): void {
    this.time += ms
    const due = this.#timers.filter(({ at }) => at <= this.time)
    this.#timers = this.#timers.filter(({ at }) => at > this.time)
    for (const { run } of due) run()
  }
}

describe('the message list', () => {
  it('applies only edits and removals by the author', () => {
    const messages = new MessageList()
    for (const one of [
      entry(1),
      entry(2),
      entry(3, { kind: 'edit', target: 1, text: 'better' }),
      entry(4, { kind: 'edit', target: 2, text: 'not mine', from: bob }),
      entry(5, { kind: 'remove', target: 2, from: bob }),
      entry(6, { kind: 'a kind of tomorrow' }),
    ])
      messages.add(one)
    expect(messages.texts.map(({ text, edited, removed }) => [text, edited, removed])).toEqual([
      ['better', true, false],
      ['text 2', false, false],
    ])
    messages.add(entry(7, { kind: 'remove', target: 2 }))
    messages.add(entry(8, { kind: 'edit', target: 2, text: 'back again' }))
    expect(messages.find(2)).toMatchObject({ removed: true, edited: false })
    expect(messages.find(2)).not.toHaveProperty('text')
  })

  it('replaces what changes and keeps the same objects for the rest', () => {
    const entries = [entry(1), entry(2), entry(3, { kind: 'edit', target: 2, text: 'better' })]
    const messages = new MessageList()
    for (const one of entries) messages.add(one)
    const before = [...messages.texts]
    messages.rebuild([entry(0, { seq: 1 }), ...entries.slice(1), entry(4, { kind: 'remove', target: 1 })])
    expect(messages.find(2)).toBe(before[1])
    expect(messages.find(1)).not.toBe(before[0])
    messages.dropBefore(2)
    expect(messages.texts).toEqual([before[1]])
    messages.dropBefore(9)
    expect(messages.texts).toEqual([])
  })
})

describe('the roster', () => {
  it('follows the updates of the server', () => {
    const roster = new Roster()
    roster.setList([ann], 1)
    roster.changed({ joined: [bob], count: 2 })
    expect(roster.members).toEqual({ list: [ann, bob], count: 2 })
    roster.typing(bob, true, 0)
    roster.changed({ left: [{ id: bob.id }], count: 700 })
    expect(roster.members).toEqual({ list: [ann], count: 700 })
    expect(roster.writers(0)).toEqual([])
  })

  it('reports that somebody who was typing has left, has sent the message, or belongs to a lost log', () => {
    const emitter = new Emitter<RoomEvents>((error) => {
      throw error
    })
    const context = { clock: new ManualClock(), user: () => undefined } as unknown as RoomContext
    const members = new RoomMembers({ room: 'lobby', context, emitter, userHasRead: () => undefined })
    const heard: string[][] = []
    emitter.on('typing', (writers) => heard.push(writers.map(({ name }) => name)))
    for (const end of [
      () => members.presence({ left: [{ id: bob.id }], count: 1 }),
      () => members.stoppedTyping(bob),
      () => members.clear(),
    ]) {
      members.typing({ user: bob, typing: true })
      end()
      end()
    }
    expect(heard).toEqual([['Bob'], [], ['Bob'], [], ['Bob'], []])
  })

  it('forgets who is typing when no more updates arrive', () => {
    const roster = new Roster()
    roster.typing(ann, true, 0)
    roster.typing(bob, true, 1_000)
    expect(roster.nextTypingEndAt()).toBe(TYPING_TIMEOUT_MS)
    expect(roster.writers(TYPING_TIMEOUT_MS)).toEqual([bob])
    roster.typing(bob, false, TYPING_TIMEOUT_MS)
    expect(roster.writers(TYPING_TIMEOUT_MS)).toEqual([])
    expect(roster.nextTypingEndAt()).toBeUndefined()
  })

  it('does not let read markers go back', () => {
    const roster = new Roster()
    expect([roster.read('u1', 5), roster.read('u1', 4), roster.read('u1', 5)]).toEqual([true, false, false])
    expect(roster.reads.get('u1')).toBe(5)
  })
})

describe('data from the server', () => {
  it('is accepted exactly when it is an entry of the protocol', () => {
    const anyEntry = fc.record(
      {
        room: fc.constantFrom<unknown>('lobby', 'other', 1),
        seq: fc.constantFrom<unknown>(1, 2, 0, -1, 1.5, Number.NaN, '1'),
        id: fc.constantFrom<unknown>('m1', 1, null),
        kind: fc.constantFrom<unknown>('text', 'edit', 'remove', 1),
        from: fc.constantFrom<unknown>(ann, { id: '', name: 'x' }, { id: 'x' }, null, 'Ann'),
        text: fc.constantFrom<unknown>('hello', 1, null),
        target: fc.constantFrom<unknown>(1, -1, 'x'),
        at: fc.constantFrom<unknown>(1, '1', null),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(anyEntry, (value) => {
        const fits = logEntry.safeParse(value).success && value.room === 'lobby'
        expect(isEntry(value, 'lobby')).toBe(fits)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is an ordered page or is refused', () => {
    const page = { epoch: 'e', head: 2, messages: [entry(2), entry(1)], more: false }
    expect(pageOf(page, 'lobby')?.messages.map(({ seq }) => seq)).toEqual([1, 2])
    for (const wrong of [
      undefined,
      'page',
      { ...page, epoch: 1 },
      { ...page, head: -1 },
      { ...page, messages: [1] },
    ]) {
      expect(pageOf(wrong, 'lobby')).toBeUndefined()
    }
    expect(pageOf(page, 'other')).toBeUndefined()
    expect(limitsOf({ textMaxChars: 'many' })).toBeUndefined()
  })

  it('becomes an error with a known code, whatever arrives', () => {
    expect(errorOf({ code: 'conflict', message: 'no', retryable: false })).toMatchObject({ code: 'conflict' })
    expect(errorOf({ code: 'unavailable', message: 'no' })).toMatchObject({ retryable: true })
    expect(errorOf({ code: 'toString' })).toMatchObject({ code: 'internal', retryable: false })
    expect(errorOf(undefined)).toMatchObject({ code: 'bad_answer', retryable: true })
  })
})

describe('ids', () => {
  it('fit the protocol, and differ', () => {
    const ids = Array.from({ length: 1_000 }, newId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !messageId.safeParse(id).success)).toEqual([])
  })
})

describe('listeners', () => {
  it('are all called until they are removed, even if one of them throws', () => {
    const failed: unknown[] = []
    const heard: number[] = []
    const emitter = new Emitter<{ said: [number] }>((error) => failed.push(error))
    emitter.on('said', () => {
      throw new Error('not I')
    })
    const off = emitter.on('said', (what) => heard.push(what))
    emitter.emit('said', 1)
    off()
    emitter.emit('said', 2)
    emitter.clear()
    emitter.emit('said', 3)
    expect([heard, failed.length]).toEqual([[1], 2])
  })
})

describe('a timer', () => {
  it('fires once, at the earliest scheduled time', () => {
    const clock = new ManualClock()
    let fired = 0
    const timer = new Timer(clock, () => {
      fired += 1
    })
    timer.schedule(100)
    timer.schedule(50)
    timer.schedule(200)
    clock.advance(50)
    expect([fired, clock.timers]).toEqual([1, 0])
    timer.schedule(10)
    timer.cancel()
    expect(clock.timers).toBe(0)
  })
})

function pending(id: string): Pending {
  return { id, room: 'a', kind: 'text', text: 'x', at: 0, order: 0 }
}

describe('the storage of pending sends', () => {
  it('numbers new sends after stored ones, and skips invalid ones', async () => {
    const storage = memoryStorage()
    await storage.put({ ...pending('old'), order: 41 })
    const broken = { ...storage, load: async () => [...(await storage.load()), JSON.parse('{"id":1}')] }
    const failures: unknown[] = []
    const persistence = new Persistence(broken, systemClock, (error) => failures.push(error))
    const loading = persistence.load()
    persistence.put(pending('gone'))
    persistence.put(pending('new'))
    persistence.delete('gone')
    expect((await loading).map(({ id }) => id)).toEqual(['old'])
    await persistence.idle()
    expect((await storage.load()).map(({ id, order }) => [id, order])).toEqual([
      ['old', 41],
      ['new', 43],
    ])
    expect(failures).toEqual([])
  })

  it('delays nothing when it fails or hangs', async () => {
    const clock = new ManualClock()
    const failures: string[] = []
    const storage = {
      load: () => new Promise<Pending[]>(() => {}),
      put: () => Promise.reject(new Error('the disk is full')),
      delete: async () => {},
    }
    const persistence = new Persistence(storage, clock, ({ code, message }) =>
      failures.push(`${code}: ${message}`),
    )
    const loaded = persistence.load()
    persistence.put(pending('a'))
    await Promise.resolve()
    clock.advance(10_000)
    expect(await loaded).toEqual([])
    await persistence.idle()
    expect(failures).toEqual([
      "storage: pending sends can't be kept: storage: no answer came in time",
      "storage: pending sends can't be kept: the disk is full",
    ])
    expect(clock.timers).toBe(0)
  })
})
