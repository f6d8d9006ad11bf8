/**
 * The timeline: each entry is added once and in order despite reordering, duplicates, losses and reconnects,
 * or the client reports a doubt.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, Page } from '../../src/client/connection/guards.ts'
import { type Doubt, Timeline, type TimelineUpdate } from '../../src/client/timeline/timeline.ts'

const ROOM = 'lobby'
const PAGE = 5
const BOUNDS = { windowMax: 8, loadedMax: 20 }

function entry(seq: number, id = `m${seq}`): Entry {
  return {
    room: ROOM,
    seq,
    id,
    kind: 'text',
    from: { id: 'u1', name: 'Ann' },
    text: `text of ${id}`,
    at: seq,
  }
}

/** The log of a correct server. */
class Log {
  epoch = 'e1'
  entries: Entry[] = []
  first = 1

  append(): Entry {
    const added = entry(this.head + 1, `${this.epoch}-${this.head + 1}`)
    this.entries.push(added)
    return added
  }

  get head(): number {
    return this.entries.length
  }

  after(after: number): Page {
    const kept = this.entries.filter(({ seq }) => seq > after && seq >= this.first)
    return this.#page(kept.slice(0, PAGE), kept.length > PAGE)
  }

  newest(): Page {
    const kept = this.entries.filter(({ seq }) => seq >= this.first)
    return this.#page(kept.slice(-PAGE), kept.length > PAGE)
  }

  before(before: number): Page {
    const kept = this.entries.filter(({ seq }) => seq < before && seq >= this.first)
    return this.#page(kept.slice(-PAGE), kept.length > PAGE)
  }

  join(timeline: Timeline): TimelineUpdate {
    const asked = timeline.resumePosition
    if (asked === undefined) return timeline.addJoinPage(this.newest(), false)
    const follows = asked.epoch === this.epoch && asked.after >= this.first - 1 && asked.after <= this.head
    return follows
      ? timeline.addJoinPage(this.after(asked.after), false)
      : timeline.addJoinPage(this.newest(), true)
  }

  #page(messages: Entry[], more: boolean): Page {
    return { epoch: this.epoch, head: this.head, messages, more }
  }
}

/** Collects what a user would see. */
class Reader {
  readonly timeline = new Timeline(BOUNDS)
  readonly doubts: Doubt[] = []
  /** The visible entries, one list per reset. */
  readonly shown: Entry[][] = [[]]
  rejoin = true

  take(taken: TimelineUpdate): void {
    if (taken.reset !== undefined) this.shown.push([])
    this.shown.at(-1)?.push(...taken.added)
    if (taken.doubt !== undefined) this.doubts.push(taken.doubt)
    this.rejoin = taken.rejoin === true
    expect(this.timeline.entries.length).toBeLessThanOrEqual(BOUNDS.loadedMax)
  }

  /** Catches up like a room, against a server that answers; bounded. */
  catchUp(log: Log): void {
    for (let step = 0; step < 200; step += 1) {
      const after = this.timeline.missingAfter
      if (this.rejoin) this.take(log.join(this.timeline))
      else if (after !== undefined) this.take(this.timeline.addNextPage(log.after(after)))
      else return
    }
    throw new Error('it never settled')
  }

  seqs(): number[][] {
    return this.shown.map((entries) => entries.map(({ seq }) => seq))
  }
}

type Step =
  | { do: 'append'; how: 'bring' | 'double' | 'drop' | 'hold' }
  | { do: 'bring held'; index: number }
  | { do: 'reconnect' | 'settle' | 'gap' | 'older' | 'let go' | 'expire' | 'new log' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant<'append'>('append'),
      how: fc.constantFrom<'bring' | 'double' | 'drop' | 'hold'>('bring', 'double', 'drop', 'hold'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant<'bring held'>('bring held'), index: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom<'reconnect' | 'settle' | 'gap' | 'older' | 'let go'>(
        'reconnect',
        'settle',
        'gap',
        'older',
        'let go',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom<'expire' | 'new log'>('expire', 'new log') }) },
)

function run(steps: readonly Step[]): { log: Log; reader: Reader } {
  const log = new Log()
  const reader = new Reader()
  let held: Entry[] = []
  const bring = (one: Entry | undefined) => {
    if (one !== undefined) reader.take(reader.timeline.addLive(one))
  }
  reader.catchUp(log)
  for (const one of steps) {
    if (one.do === 'append') {
      const added = log.append()
      if (one.how === 'hold') held.push(added)
      if (one.how === 'bring' || one.how === 'double') bring(added)
      if (one.how === 'double') bring(added)
    } else if (one.do === 'bring held') bring(held[one.index % Math.max(1, held.length)])
    else if (one.do === 'reconnect') reader.take(log.join(reader.timeline))
    else if (one.do === 'settle') reader.catchUp(log)
    else if (one.do === 'gap') reader.timeline.extendHead(log.head)
    else if (one.do === 'older')
      reader.timeline.addOlderPage(log.before(reader.timeline.first), reader.timeline.first)
    else if (one.do === 'let go') reader.timeline.dropOlder()
    else if (one.do === 'expire') log.first = Math.max(log.first, log.head - 2)
    else {
      // Entries of the old log do not arrive after the new one has started.
      held = []
      Object.assign(log, { epoch: `${log.epoch}'`, entries: [], first: 1 })
      reader.take(log.join(reader.timeline))
    }
  }
  reader.take(log.join(reader.timeline))
  reader.catchUp(log)
  return { log, reader }
}

describe('with a correct server', () => {
  it('shows each entry once and in order, whatever the network does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { log, reader } = run(steps)
        for (const seqs of reader.seqs()) {
          expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index))
        }
        const ids = reader.shown.flat().map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(reader.timeline.last).toBe(log.head)
        expect(reader.timeline.epoch).toBe(log.epoch)
        const tail = reader.shown.at(-1) ?? []
        expect(tail).toEqual(log.entries.slice(log.head - tail.length))
        expect(reader.timeline.entries).toEqual(log.entries.slice(log.head - reader.timeline.entries.length))
        expect(reader.doubts.filter(({ reason }) => reason !== 'epoch')).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps a limited window, and fetches dropped entries again', () => {
    const log = new Log()
    for (let i = 0; i < 40; i += 1) log.append()
    const timeline = new Timeline(BOUNDS)
    timeline.addJoinPage(log.newest(), false)
    for (let i = 0; i < 20; i += 1) timeline.addLive(log.append())
    expect(timeline.entries.map(({ seq }) => seq)).toEqual([53, 54, 55, 56, 57, 58, 59, 60])
    expect(timeline.addOlderPage(log.before(53), 53)).toBe(5)
    expect(timeline.first).toBe(48)
    timeline.addLive(log.append())
    expect([timeline.first, timeline.entries.length]).toEqual([48, 14])
    for (let i = 0; i < 20; i += 1) timeline.addLive(log.append())
    expect([timeline.entries.length, timeline.isFull]).toEqual([BOUNDS.loadedMax, true])
    timeline.dropOlder()
    expect(timeline.first).toBe(74)
    expect(timeline.hasOlder).toBe(true)
    while (timeline.hasOlder && !timeline.isFull)
      timeline.addOlderPage(log.before(timeline.first), timeline.first)
    expect(timeline.entries).toHaveLength(BOUNDS.loadedMax)
  })

  it('knows when there are no older entries', () => {
    const log = new Log()
    for (let i = 0; i < 7; i += 1) log.append()
    const timeline = new Timeline(BOUNDS)
    timeline.addJoinPage(log.newest(), false)
    expect(timeline.hasOlder).toBe(true)
    expect(timeline.addOlderPage(log.before(3), 3)).toBe(2)
    expect(timeline.hasOlder).toBe(false)
  })

  it('starts over when the log no longer keeps the next entries', () => {
    const log = new Log()
    log.append()
    const reader = new Reader()
    reader.catchUp(log)
    for (let i = 0; i < 20; i += 1) log.append()
    log.first = 15
    const taken = log.join(reader.timeline)
    expect(taken.reset).toBe('expired')
    expect(taken.added.map(({ seq }) => seq)).toEqual([17, 18, 19, 20, 21])
  })
})

describe('with a faulty server', () => {
  it('rejects an older page that does not reach up to the window, and requests no more', () => {
    const timeline = new Timeline(BOUNDS)
    timeline.addJoinPage({ epoch: 'e1', head: 9, messages: [entry(9)], more: true }, false)
    expect(
      timeline.addOlderPage({ epoch: 'e1', head: 9, messages: [entry(6), entry(7)], more: true }, 9),
    ).toBe(0)
    expect([timeline.first, timeline.hasOlder]).toEqual([9, false])
  })

  const anyEntry = fc
    .record({ seq: fc.integer({ min: 1, max: 15 }), id: fc.constantFrom('a', 'b', 'c') })
    .map(({ seq, id }) => entry(seq, `${seq}${id}`))
  const anyPage = fc.record({
    epoch: fc.constantFrom('e1', 'e2'),
    head: fc.integer({ min: 0, max: 20 }),
    messages: fc.array(anyEntry, { maxLength: 6 }).map((list) => list.toSorted((a, b) => a.seq - b.seq)),
    more: fc.boolean(),
  })
  const anyStep = fc.oneof(
    anyEntry.map((one) => (timeline: Timeline) => timeline.addLive(one)),
    anyPage.map((page) => (timeline: Timeline) => timeline.addNextPage(page)),
    fc.tuple(anyPage, fc.boolean()).map(
      ([page, reset]) =>
        (timeline: Timeline) =>
          timeline.addJoinPage(page, reset),
    ),
    fc.integer({ min: 0, max: 1_000_000 }).map((to) => (timeline: Timeline): TimelineUpdate => {
      timeline.extendHead(to)
      return { added: [] }
    }),
  )

  it('never shows anything twice or out of order, and reports what it skips', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const timeline = new Timeline(BOUNDS)
        let last: number | undefined
        for (const take of steps) {
          const known = timeline.epoch !== undefined
          const { added: shown, reset, doubt } = take(timeline)
          if (reset !== undefined || !known) last = undefined
          for (const { seq } of shown) {
            const skipped = last !== undefined && seq !== last + 1
            const said = doubt?.reason === 'missing' && doubt.from <= (last ?? 0) + 1 && doubt.to >= seq - 1
            expect(skipped && !said).toBe(false)
            last = seq
          }
          expect(timeline.entries.length).toBeLessThanOrEqual(BOUNDS.windowMax)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('never waits forever', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const timeline = new Timeline(BOUNDS)
        timeline.addJoinPage({ epoch: 'e1', head: 0, messages: [], more: false }, false)
        for (const take of steps) take(timeline)
        let doubt: Doubt | undefined
        const wasMissing = timeline.missingAfter !== undefined
        for (let i = 0; i < 40 && timeline.missingAfter !== undefined; i += 1) {
          const page: Page = { epoch: timeline.epoch ?? '', head: 0, messages: [], more: true }
          doubt = timeline.addNextPage(page).doubt ?? doubt
        }
        expect(timeline.missingAfter).toBeUndefined()
        if (wasMissing) expect(doubt?.reason).toBe('missing')
      }),
    )
  })

  it('reports two entries with one number, and keeps the first', () => {
    const timeline = new Timeline(BOUNDS)
    timeline.addJoinPage({ epoch: 'e1', head: 1, messages: [entry(1)], more: false }, false)
    expect(timeline.addLive(entry(1, 'other')).doubt).toEqual({ reason: 'contradiction', seq: 1 })
    timeline.addLive(entry(3, 'first'))
    expect(timeline.addLive(entry(3, 'second')).doubt).toEqual({ reason: 'contradiction', seq: 3 })
    expect(timeline.addLive(entry(2)).added.map(({ id }) => id)).toEqual(['m2', 'first'])
  })

  it('keeps the first of two also when one came before the join was answered', () => {
    const timeline = new Timeline(BOUNDS)
    timeline.addLive(entry(1, 'early'))
    const taken = timeline.addJoinPage(
      { epoch: 'e1', head: 1, messages: [entry(1, 'late')], more: false },
      false,
    )
    expect(taken).toEqual({ added: [entry(1, 'early')], doubt: { reason: 'contradiction', seq: 1 } })
  })

  it('starts after the last hole of the first page', () => {
    const timeline = new Timeline(BOUNDS)
    const messages = [entry(1), entry(2), entry(5), entry(6)]
    const taken = timeline.addJoinPage({ epoch: 'e1', head: 6, messages, more: false }, false)
    expect(taken.added.map(({ seq }) => seq)).toEqual([5, 6])
    expect(timeline.hasOlder).toBe(true)
  })

  it('treats a text that has been blanked since as the same entry', () => {
    const timeline = new Timeline(BOUNDS)
    timeline.addJoinPage({ epoch: 'e1', head: 1, messages: [entry(1)], more: false }, false)
    const { text: _gone, ...blanked } = entry(1)
    expect(timeline.addLive(blanked).doubt).toBeUndefined()
  })

  it('reports that it cannot tell which log it is, when each answer names a different one', () => {
    const timeline = new Timeline(BOUNDS)
    const doubts: (Doubt | undefined)[] = []
    for (let i = 0; i < 4; i += 1) {
      doubts.push(timeline.addJoinPage({ epoch: `e${i}`, head: 0, messages: [], more: false }, i > 0).doubt)
    }
    expect(doubts.at(-1)).toEqual({ reason: 'epoch' })
  })
})

function joinedAt(head: number): { log: Log; timeline: Timeline } {
  const [log, timeline] = [new Log(), new Timeline(BOUNDS)]
  for (let i = 0; i < head; i += 1) log.append()
  log.join(timeline)
  return { log, timeline }
}

describe('a new log that the server has announced', () => {
  it('is shown from its join on, and none of its entries before that', () => {
    const { log, timeline } = joinedAt(3)
    log.epoch = 'e2'
    log.entries = []
    log.append()
    expect(timeline.announceEpoch('e2')).toBe('new')
    expect(timeline.addLive(log.append())).toEqual({ added: [] })
    timeline.extendHead(9)
    expect([timeline.last, timeline.missingAfter]).toEqual([3, undefined])
    const taken = log.join(timeline)
    expect(taken).toMatchObject({ reset: 'epoch', added: log.entries })
    expect(taken).not.toHaveProperty('doubt')
    expect(timeline.addLive(log.append()).added).toHaveLength(1)
    expect(timeline.announceEpoch('e2')).toBe('known')
  })

  it('says so when the one that was shown had no entries: nothing is gone', () => {
    const empty = joinedAt(0)
    empty.log.epoch = 'e2'
    empty.log.append()
    expect(empty.timeline.announceEpoch('e2')).toBe('new')
    expect(empty.log.join(empty.timeline)).toMatchObject({ reset: 'epoch', wasEmpty: true })
    const acked = joinedAt(0)
    acked.timeline.extendHead(1)
    acked.log.epoch = 'e2'
    acked.timeline.announceEpoch('e2')
    expect(acked.log.join(acked.timeline)).not.toHaveProperty('wasEmpty')
  })

  it('keeps entries that arrive before the join answer is read: none is missed, without waiting for a newer one', () => {
    const { log, timeline } = joinedAt(3)
    log.epoch = 'e2'
    log.entries = []
    log.append()
    timeline.announceEpoch('e2')
    const inThePage = log.append()
    timeline.addLive(inThePage)
    const page = log.newest()
    const after = [log.append(), log.append()]
    for (const added of after) timeline.addLive(added)
    const taken = timeline.addJoinPage(page, true)
    expect(taken).toEqual({ reset: 'epoch', added: log.entries })
    expect([timeline.last, timeline.missingAfter]).toEqual([4, undefined])
  })

  it('fetches entries that were left out before the join answer is read', () => {
    const { log, timeline } = joinedAt(3)
    log.epoch = 'e2'
    log.entries = []
    log.append()
    timeline.announceEpoch('e2')
    const page = log.newest()
    timeline.announceHead(log.append().seq)
    expect(timeline.addJoinPage(page, true).added).toHaveLength(1)
    expect(timeline.missingAfter).toBe(1)
    expect(timeline.addNextPage(log.after(1)).added).toHaveLength(1)
  })

  it('may differ from the log of the answer: its entries are not shown there', () => {
    const { log, timeline } = joinedAt(3)
    timeline.announceEpoch('e2')
    timeline.addLive(entry(4, 'of e2'))
    expect(log.join(timeline).added).toEqual([])
    expect([timeline.last, timeline.missingAfter]).toEqual([3, undefined])
  })

  it("can change any number of times without a doubt if the server's answers agree", () => {
    const { log, timeline } = joinedAt(3)
    for (let i = 0; i < 10; i += 1) {
      log.epoch = `other-${i}`
      expect(timeline.announceEpoch(log.epoch)).toBe('new')
      expect(log.join(timeline)).not.toHaveProperty('doubt')
    }
  })

  it('causes a doubt when the server keeps returning the old log', () => {
    const { log, timeline } = joinedAt(3)
    const doubts = Array.from({ length: 4 }, (_, i) => {
      expect(timeline.announceEpoch('e2')).toBe(i === 0 ? 'new' : 'denied')
      return log.join(timeline).doubt
    })
    expect(doubts).toEqual([undefined, undefined, { reason: 'epoch' }, { reason: 'epoch' }])
    expect(timeline.addLive(log.append()).added).toHaveLength(1)
  })
})
