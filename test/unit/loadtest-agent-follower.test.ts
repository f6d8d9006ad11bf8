import { describe, expect, test } from 'vitest'
import type { Entry, Page } from '../../loadtest/agent/protocol/responses.ts'
import { RoomFollower } from '../../loadtest/agent/protocol/room-follower.ts'

const entry = (seq: number): Entry => ({ seq, id: `id-${seq}`, text: 'text' })
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, place) => entry(from + place))
const page = (from: number, to: number, more: Partial<Page> = {}): Page => ({
  epoch: 'a',
  head: to,
  entries: range(from, to),
  more: false,
  reset: false,
  ...more,
})

class Reader {
  readonly shown: (number | string)[] = []
  readonly follower = new RoomFollower({
    begin: (epoch, head) => this.shown.push(`${epoch} after ${head}`),
    show: ({ seq }) => this.shown.push(seq),
  })

  live(...seqs: number[]): void {
    for (const seq of seqs) this.follower.live(entry(seq))
  }

  /** Joined, at number 10 of log `a`. */
  static joined(): Reader {
    const reader = new Reader()
    reader.follower.joined(page(10, 10, { more: true }))
    reader.shown.length = 0
    return reader
  }
}

describe('a client in a room of the chat', () => {
  test('messages from before its first join are not delivered, and nothing is missing', () => {
    const reader = new Reader()
    reader.follower.joined(page(10, 10, { more: true }))
    expect(reader.shown).toEqual(['a after 10'])
    expect(reader.follower.missingAfter).toBeUndefined()
    expect(reader.follower.position).toEqual({ after: 10, epoch: 'a' })
    reader.live(11, 12)
    expect(reader.shown).toEqual(['a after 10', 11, 12])
  })

  test('duplicates, swaps and losses of the server are delivered as they came', () => {
    const reader = Reader.joined()
    reader.live(11, 11, 13, 12, 15, 13)
    expect(reader.shown).toEqual([11, 11, 13, 12, 15, 13])
    expect(reader.follower.position?.after).toBe(15)
    expect(reader.follower.missingAfter).toBeUndefined()
  })

  test('it resumes page by page, and holds back live messages meanwhile', () => {
    const reader = Reader.joined()
    reader.follower.disconnected()
    reader.follower.joined(page(11, 13, { head: 17, more: true }))
    expect(reader.follower.missingAfter).toBe(13)
    reader.live(18)
    reader.follower.fetched(13, page(14, 15, { head: 18, more: true }))
    expect(reader.follower.missingAfter).toBe(15)
    // The log has grown meanwhile; messages after the join arrive live.
    reader.follower.fetched(15, page(16, 18))
    expect(reader.shown).toEqual([11, 12, 13, 14, 15, 16, 17, 18])
    expect(reader.follower.missingAfter).toBeUndefined()
  })

  test('a live message that the join page also contains is a duplicate', () => {
    const reader = Reader.joined()
    reader.follower.disconnected()
    reader.live(12)
    reader.follower.joined(page(11, 12))
    reader.live(12, 13)
    expect(reader.shown).toEqual([11, 12, 12, 12, 13])
  })

  test('a page that contains an entry twice delivers it twice; an entry that it already had is not repeated', () => {
    const reader = Reader.joined()
    reader.live(11)
    reader.follower.gap(12, 14)
    reader.follower.fetched(
      11,
      page(11, 14, { entries: [entry(11), entry(12), entry(12), entry(14), entry(13)] }),
    )
    expect(reader.shown).toEqual([11, 12, 12, 14, 13])
  })

  test('gaps are filled before the messages that follow them, however many there are', () => {
    const reader = Reader.joined()
    reader.follower.gap(11, 13)
    reader.live(14, 15)
    reader.follower.gap(16, 17)
    reader.live(18)
    expect(reader.shown).toEqual([])
    expect(reader.follower.missingAfter).toBe(10)
    reader.follower.fetched(10, page(11, 18))
    expect(reader.shown).toEqual([11, 12, 13, 14, 15])
    expect(reader.follower.missingAfter).toBe(15)
    reader.follower.fetched(15, page(16, 18))
    expect(reader.shown).toEqual([11, 12, 13, 14, 15, 16, 17, 18])
  })

  test('an empty page ends the wait: what it should have contained is lost', () => {
    const reader = Reader.joined()
    reader.follower.gap(11, 13)
    reader.live(14)
    reader.follower.fetched(10, page(11, 10, { head: 14, more: true }))
    expect(reader.shown).toEqual([14])
    expect(reader.follower.missingAfter).toBeUndefined()
  })

  test('an answer to an outdated request is ignored', () => {
    const reader = Reader.joined()
    reader.follower.gap(11, 13)
    reader.follower.disconnected()
    reader.follower.fetched(10, page(11, 13))
    reader.follower.joined(page(11, 14))
    reader.follower.fetched(10, page(11, 13))
    expect(reader.shown).toEqual([11, 12, 13, 14])
  })

  test('another log starts over, with the entries that it already has', () => {
    const reader = Reader.joined()
    reader.live(11)
    reader.follower.logReplaced()
    expect(reader.follower.isJoined).toBe(false)
    // Also part of the join page.
    reader.live(1)
    reader.follower.joined(page(1, 2, { epoch: 'b', reset: true }))
    reader.live(3)
    expect(reader.shown).toEqual([11, 'b after 0', 1, 2, 3])
    expect(reader.follower.position).toEqual({ after: 3, epoch: 'b' })
  })

  test('another log that is longer than a page is fetched from its start, and live messages wait', () => {
    const reader = Reader.joined()
    reader.follower.disconnected()
    const inB = { epoch: 'b', head: 500 }
    reader.follower.joined(page(301, 500, { ...inB, reset: true, more: true }))
    reader.follower.live(entry(501))
    expect(reader.shown).toEqual(['b after 0'])
    for (const after of [0, 200, 400]) {
      expect(reader.follower.missingAfter).toBe(after)
      reader.follower.fetched(
        after,
        page(after + 1, Math.min(500, after + 200), { ...inB, more: after < 400 }),
      )
    }
    expect(reader.shown).toEqual(['b after 0', ...range(1, 501).map(({ seq }) => seq)])
    expect(reader.follower.missingAfter).toBeUndefined()
  })

  test('a page of yet another log is not delivered, and the room must be joined again', () => {
    const reader = Reader.joined()
    reader.follower.gap(11, 13)
    expect(reader.follower.fetched(10, page(11, 13, { epoch: 'b' }))).toBe(false)
    expect(reader.shown).toEqual([])
  })

  test('entries that the log no longer keeps are left out, and those that it keeps are fetched', () => {
    const reader = Reader.joined()
    reader.follower.disconnected()
    reader.follower.joined(page(500, 501, { reset: true, more: true }))
    reader.live(502)
    expect(reader.follower.missingAfter).toBe(10)
    reader.follower.fetched(10, page(400, 501, { head: 502 }))
    expect(reader.shown).toEqual(range(400, 502).map(({ seq }) => seq))
  })
})
