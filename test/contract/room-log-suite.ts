/**
 * What every implementation of the room-log contract must do. Nothing here depends on how an implementation
 * stores data: it is passed in as a function that makes a fresh, empty log.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { RoomLog } from '../../src/log/room-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { describeLogAgainstModel } from './log-property.ts'
import {
  bob,
  edit,
  type LogUnderTest,
  type MakeLog,
  type OpenLog,
  refused,
  remove,
  text,
} from './log-under-test.ts'
import { describeOwnKinds } from './own-kinds-suite.ts'
import { describeUserRooms } from './user-rooms-suite.ts'

const DAY_MS = 86_400_000

export interface SuiteOptions {
  /** Concurrent requests for rooms and users take effect in call order. */
  allInOrder?: boolean
}

export function describeRoomLog(name: string, makeLog: MakeLog, options: SuiteOptions = {}): void {
  describe(name, () => {
    const made: LogUnderTest[] = []
    const open: OpenLog = async (terms) => {
      const log = await makeLog({
        retention: { messages: 1_000, days: 365 },
        clock: Date.now,
        canJudgeAges: () => true,
        roomsPerUser: 100,
        ...terms,
      })
      made.push(log)
      return log
    }
    afterEach(async () => {
      for (const log of made.splice(0)) await log.dispose()
    })

    describeOrder(open)
    describeRetries(open)
    describeEditsAndRemovals(open)
    describeReads(open)
    describeWatching(open)
    describeRetention(open)
    describeWrongClocks(open)
    describeOwnKinds(open)
    describeUserRooms(open)
    describeLogAgainstModel(open, { allInOrder: options.allInOrder ?? false })
  })
}

function describeOrder(open: OpenLog): void {
  it('numbers a room densely and delivers each entry once and in order, with 40 concurrent writers', async () => {
    const { log, openReader } = await open()
    const told: LogEntry[] = []
    await log.watch('den')
    log.onEntry((entry) => told.push(entry))
    const writers = Array.from({ length: 40 }, async (_, writer) => {
      const answers: number[] = []
      for (let n = 0; n < 10; n += 1) {
        const { seq, duplicate } = await log.append('den', text(`m-${writer}-${n}`))
        expect(duplicate).toBe(false)
        answers.push(seq)
      }
      return answers
    })
    const answers = (await Promise.all(writers)).flat()
    const dense = Array.from({ length: 400 }, (_, n) => n + 1)
    expect(answers.toSorted((a, b) => a - b)).toEqual(dense)
    expect(told.map(({ seq }) => seq)).toEqual(dense)
    const page = await (await openReader()).read('den', { after: 0, limit: 400 })
    expect(page.entries).toEqual(told)
  })

  it('has published an entry, readable by other readers, by the time the append resolves', async () => {
    const { log, openReader } = await open()
    const reader = await openReader()
    const told: number[] = []
    await log.watch('den')
    log.onEntry(({ seq }) => told.push(seq))
    for (let n = 1; n <= 20; n += 1) {
      await log.append('den', text(`m${n}`))
      expect(told.at(-1)).toBe(n)
      expect((await reader.head('den')).head).toBe(n)
    }
  })

  it('lets a reader see a published entry, even if the reader has read just before', async () => {
    const { log, openReader } = await open()
    const reader = await openReader()
    const seen: Promise<[number, number]>[] = []
    await log.watch('den')
    log.onEntry(({ seq }) => seen.push(reader.head('den').then(({ head }) => [seq, head])))
    const appending = Promise.all(Array.from({ length: 100 }, (_, n) => log.append('den', text(`m${n}`))))
    const state = { done: false }
    const looking = (async () => {
      while (!state.done) {
        await reader.head('den')
        await nextTurn()
      }
    })()
    await appending
    for (let n = 0; n < 30; n += 1) await log.append('den', text(`later-${n}`))
    state.done = true
    await looking
    for (const [seq, head] of await Promise.all(seen)) expect(head).toBeGreaterThanOrEqual(seq)
    expect(seen).toHaveLength(130)
  })

  it('numbers each room separately', async () => {
    const { log } = await open()
    await Promise.all(['den', 'den.x', 'den:1', 'den'].map((room, n) => log.append(room, text(`m${n}`))))
    expect((await log.head('den')).head).toBe(2)
    expect((await log.head('den.x')).head).toBe(1)
    expect((await log.read('den:1', { newest: true, limit: 10 })).entries.map(({ id }) => id)).toEqual(['m2'])
    expect((await log.head('never')).head).toBe(0)
  })

  it('keeps each text and its author exactly', async () => {
    const { log } = await open()
    const words = 'naïve \u0000 \u2028 👩‍👩‍👧 "quoted" \\ \n\t end'
    const from = { id: 'a b/ü:\u{1F426}', name: '"Ü" <b>' }
    await log.append('den', text('m1', words, from))
    const { entries } = await log.read('den', { newest: true, limit: 1 })
    expect(entries).toEqual([
      { room: 'den', seq: 1, id: 'm1', kind: 'text', from, text: words, at: expect.any(Number) },
    ])
  })

  it('never lets timestamps go back within a room', async () => {
    const times = [5_000, 3_000, 4_000, 7_000]
    let now = 0
    const { log } = await open({ clock: () => now })
    const ats: number[] = []
    for (const [n, time] of times.entries()) {
      now = time
      ats.push((await log.append('den', text(`m${n}`))).at)
    }
    expect(ats).toEqual([5_000, 5_000, 5_000, 7_000])
  })
}

function describeRetries(open: OpenLog): void {
  it('answers a retry like the first attempt, and publishes nothing again', async () => {
    const { log } = await open()
    const told: number[] = []
    await log.watch('den')
    log.onEntry(({ seq }) => told.push(seq))
    const first = await log.append('den', text('m1'))
    await log.append('den', text('m2'))
    expect(await log.append('den', text('m1'))).toEqual({ ...first, duplicate: true })
    expect(told).toEqual([1, 2])
    expect((await log.head('den')).head).toBe(2)
  })

  it('makes one entry when the same message is sent many times at once', async () => {
    const { log } = await open()
    const answers = await Promise.all(Array.from({ length: 30 }, () => log.append('den', text('m1'))))
    expect(new Set(answers.map(({ seq }) => seq))).toEqual(new Set([1]))
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect((await log.head('den')).head).toBe(1)
  })

  it('refuses an id that was used for another message, and stores nothing of it', async () => {
    const { log } = await open()
    await log.append('den', text('m1'))
    await log.append('den', edit('e1', 1, 'other'))
    await expect(log.append('den', text('m1', 'other'))).rejects.toEqual(refused('conflict'))
    await expect(log.append('den', edit('m1', 1))).rejects.toEqual(refused('conflict'))
    await expect(log.append('den', edit('e1', 1, 'another'))).rejects.toEqual(refused('conflict'))
    expect(await log.append('den', text('m2'))).toMatchObject({ seq: 3 })
  })

  it('checks for repeated ids only within one author and one room', async () => {
    const { log } = await open()
    await log.append('den', text('m1', 'a'))
    expect(await log.append('den', text('m1', 'b', bob))).toMatchObject({ seq: 2, duplicate: false })
    expect(await log.append('attic', text('m1', 'c'))).toMatchObject({ seq: 1, duplicate: false })
    const tricky = { id: 'ann\u0000', name: 'x' }
    expect(await log.append('den', text('m1', 'd', tricky))).toMatchObject({ seq: 3, duplicate: false })
  })

  it('recognizes the retry of a message that has been removed since, and the retry of its removal', async () => {
    const { log } = await open()
    await log.append('den', text('m1'))
    await log.append('den', remove('r1', 1))
    expect(await log.append('den', text('m1'))).toMatchObject({ seq: 1, duplicate: true })
    expect(await log.append('den', remove('r1', 1))).toMatchObject({ seq: 2, duplicate: true })
    await expect(log.append('den', text('m1', 'else'))).rejects.toEqual(refused('conflict'))
  })
}

function describeEditsAndRemovals(open: OpenLog): void {
  it('lets only the author change a text', async () => {
    const { log } = await open()
    await log.append('den', text('m1'))
    await expect(log.append('den', edit('e1', 1, 'x', bob))).rejects.toEqual(refused('forbidden'))
    await expect(log.append('den', remove('r1', 1, bob))).rejects.toEqual(refused('forbidden'))
    await expect(log.append('den', edit('e1', 2))).rejects.toEqual(refused('not_found'))
    await expect(log.append('den', edit('e1', 0))).rejects.toEqual(refused('not_found'))
    await expect(log.append('attic', remove('r1', 1))).rejects.toEqual(refused('not_found'))
    expect(await log.append('den', edit('e1', 1, 'better'))).toMatchObject({ seq: 2 })
    await expect(log.append('den', edit('e2', 2))).rejects.toEqual(refused('forbidden'))
    await expect(log.append('den', remove('r2', 2))).rejects.toEqual(refused('forbidden'))
  })

  it('blanks a removed message and its edits, and leaves everything else', async () => {
    const { log, openReader } = await open()
    await log.append('den', text('m1', 'secret'))
    await log.append('den', text('m2', 'stays'))
    await log.append('den', edit('e1', 1, 'secret too'))
    await log.append('den', edit('e2', 2, 'stays too'))
    await log.append('den', remove('r1', 1))
    const { entries } = await (await openReader()).read('den', { after: 0, limit: 10 })
    expect(entries.map(({ kind, target, text: words }) => [kind, target, words])).toEqual([
      ['text', undefined, undefined],
      ['text', undefined, 'stays'],
      ['edit', 1, undefined],
      ['edit', 2, 'stays too'],
      ['remove', 1, undefined],
    ])
    expect(entries.filter((entry) => 'text' in entry)).toHaveLength(2)
  })

  it('does not allow edits of a removed message', async () => {
    const { log } = await open()
    await log.append('den', text('m1'))
    await log.append('den', remove('r1', 1))
    await expect(log.append('den', remove('r2', 1))).rejects.toEqual(refused('not_found'))
    await expect(log.append('den', edit('e1', 1))).rejects.toEqual(refused('not_found'))
  })

  it('applies a text, its edit and two removals in order when they are sent together', async () => {
    const { log } = await open()
    const outcomes = await Promise.allSettled([
      log.append('den', text('m1')),
      log.append('den', edit('e1', 1)),
      log.append('den', remove('r1', 1)),
      log.append('den', remove('r2', 1)),
      log.append('den', text('m2')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect((await log.head('den')).head).toBe(4)
  })
}

function describeReads(open: OpenLog): void {
  it('reads after, before and the newest, and reports whether there is more', async () => {
    const { log } = await open()
    await Promise.all(Array.from({ length: 10 }, (_, n) => log.append('den', text(`m${n + 1}`))))
    const read = async (range: Parameters<RoomLog['read']>[1]) => {
      const { entries, more } = await log.read('den', range)
      return [entries.map(({ seq }) => seq), more]
    }
    expect(await read({ after: 0, limit: 3 })).toEqual([[1, 2, 3], true])
    expect(await read({ after: 7, limit: 3 })).toEqual([[8, 9, 10], false])
    expect(await read({ after: 10, limit: 3 })).toEqual([[], false])
    expect(await read({ after: 99, limit: 3 })).toEqual([[], false])
    expect(await read({ before: 4, limit: 3 })).toEqual([[1, 2, 3], false])
    expect(await read({ before: 5, limit: 3 })).toEqual([[2, 3, 4], true])
    expect(await read({ before: 99, limit: 2 })).toEqual([[9, 10], true])
    expect(await read({ before: 1, limit: 2 })).toEqual([[], false])
    expect(await read({ newest: true, limit: 2 })).toEqual([[9, 10], true])
    expect(await read({ newest: true, limit: 50 })).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false])
  })

  it('returns epoch, head and first with every page, also for an empty room', async () => {
    const { log, openReader } = await open()
    const { epoch } = await log.head('den')
    expect(epoch).toMatch(/.{8,}/)
    await log.append('den', text('m1'))
    expect(await log.head('den')).toEqual({ epoch, head: 1, first: 1 })
    const reader = await openReader()
    const never = await reader.read('never', { newest: true, limit: 5 })
    expect(never).toEqual({
      epoch: expect.stringMatching(/.{8,}/),
      head: 0,
      first: 1,
      entries: [],
      more: false,
    })
    expect((await log.head('never')).epoch).toBe(never.epoch)
  })

  it('gives each log its own epoch', async () => {
    const one = await (await open()).log.head('den')
    const other = await (await open()).log.head('den')
    expect(one.epoch).not.toBe(other.epoch)
  })
}

function describeWatching(open: OpenLog): void {
  it('delivers entries of a room that is watched twice until both watches are closed', async () => {
    const { log } = await open()
    const told: number[] = []
    log.onEntry(({ seq }) => told.push(seq))
    await log.append('den', text('m1'))
    const before = told.length
    await Promise.all([log.watch('den'), log.watch('den')])
    log.unwatch('den')
    for (let n = 2; n <= 4; n += 1) await log.append('den', text(`m${n}`))
    expect(told.slice(before)).toEqual([2, 3, 4])
    log.unwatch('den')
    log.unwatch('never')
    expect(await log.append('den', text('m5'))).toMatchObject({ seq: 5 })
  })

  it('delivers the following entries when a watch starts while others write in the room', async () => {
    const { log } = await open()
    const told: number[] = []
    log.onEntry(({ seq }) => told.push(seq))
    const writing = Promise.all(Array.from({ length: 200 }, (_, n) => log.append('den', text(`m${n}`))))
    await log.watch('den')
    await writing
    const { seq } = await log.append('den', text('last'))
    expect(told.at(-1)).toBe(seq)
    const first = told[0] ?? seq
    expect(told).toEqual(Array.from({ length: seq - first + 1 }, (_, n) => first + n))
  })
}

function describeRetention(open: OpenLog): void {
  it('keeps the configured number of newest entries of a room, and returns the first', async () => {
    const { log } = await open({ retention: { messages: 5, days: 365 } })
    for (let n = 1; n <= 12; n += 1) await log.append('den', text(`m${n}`))
    const page = await log.read('den', { after: 2, limit: 100 })
    expect([page.head, page.first]).toEqual([12, 8])
    expect(page.entries.map(({ seq }) => seq)).toEqual([8, 9, 10, 11, 12])
    expect((await log.read('den', { before: 8, limit: 5 })).more).toBe(false)
    await expect(log.append('den', edit('e1', 3))).rejects.toEqual(refused('not_found'))
    expect(await log.append('den', text('m1'))).toMatchObject({ seq: 13, duplicate: false })
    expect(await log.append('den', text('m12'))).toMatchObject({ seq: 12, duplicate: true })
  })

  it('drops entries that are too old, and continues the numbering', async () => {
    let now = 1_000 * DAY_MS
    const { log, trimAged } = await open({ retention: { messages: 100, days: 7 }, clock: () => now })
    await log.append('den', text('old'))
    await log.append('attic', text('old'))
    now += 4 * DAY_MS
    await log.append('den', text('newer'))
    await trimAged()
    expect((await log.head('den')).first).toBe(1)
    now += 4 * DAY_MS
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 2, first: 2 })
    expect(await log.head('attic')).toMatchObject({ head: 1, first: 2 })
    expect((await log.read('attic', { newest: true, limit: 5 })).entries).toEqual([])
    expect(await log.append('attic', text('old'))).toMatchObject({ seq: 2, duplicate: false })
  })
}

function describeWrongClocks(open: OpenLog): void {
  it('gives later entries the right time after one from the future', async () => {
    const start = 1_000 * DAY_MS
    let now = start
    const { log } = await open({ clock: () => now, canJudgeAges: () => false })
    const ats: number[] = []
    for (const time of [0, 730 * DAY_MS, 1_000, 500, 2_000]) {
      now = start + time
      ats.push((await log.append('den', text(`m${ats.length}`))).at - start)
    }
    expect(ats).toEqual([0, 730 * DAY_MS, 1_000, 1_000, 2_000])
    const { entries } = await log.read('den', { newest: true, limit: 9 })
    expect(entries.map(({ at }) => at - start)).toEqual(ats)
  })

  it('keeps everything while the clock is in doubt, but not more than the limit of entries', async () => {
    let now = 1_000 * DAY_MS
    let canJudge = true
    const retention = { messages: 3, days: 7 }
    const { log, trimAged } = await open({ retention, clock: () => now, canJudgeAges: () => canJudge })
    for (const id of ['m1', 'm2', 'm3']) await log.append('den', text(id))
    now += 730 * DAY_MS
    canJudge = false
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 3, first: 1 })
    await log.append('den', text('m4'))
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 4, first: 2 })
    canJudge = true
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 4, first: 4 })
  })

  it('drops an entry from the future with those that were written at the same time', async () => {
    const start = 1_000 * DAY_MS
    let now = start
    let canJudge = false
    const retention = { messages: 100, days: 7 }
    const { log, trimAged } = await open({ retention, clock: () => now, canJudgeAges: () => canJudge })
    const append = async (time: number, ids: string[]) => {
      canJudge = false
      now = start + time
      for (const id of ids) await log.append('den', text(id))
      canJudge = true
    }
    await append(0, ['m1'])
    await append(730 * DAY_MS, ['f1', 'f2', 'f3'])
    await append(1_000, ['m2', 'm3', 'm4', 'm5', 'm6'])
    await append(5 * DAY_MS, ['m7'])
    now = start + 8 * DAY_MS
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 10, first: 10 })
    await append(730 * DAY_MS, ['f4'])
    now = start + 9 * DAY_MS
    await trimAged()
    expect(await log.head('den')).toMatchObject({ head: 11, first: 10 })
  })
}
