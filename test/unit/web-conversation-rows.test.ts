import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '../../src/client/index.ts'
import { englishLocale } from '../../src/web/app/locale.ts'
import { dayLabel, dayOf, dayReader, timeLabel } from '../../src/web/conversation/timeline/days.ts'
import { type Notice, withNotice } from '../../src/web/conversation/timeline/notices.ts'
import {
  type Row,
  RowBuilder,
  type RowsSource,
  updateSteps,
} from '../../src/web/conversation/timeline/rows.ts'

const NOON = new Date(2026, 2, 17, 12).getTime()
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

function message(
  seq: number,
  {
    from = 'ann',
    at = NOON,
    ...more
  }: { from?: string; at?: number } & Partial<Omit<ChatMessage, 'from' | 'at'>> = {},
): ChatMessage {
  return {
    id: `m${seq}`,
    seq,
    from: { id: from, name: from },
    text: `text ${seq}`,
    at,
    edited: false,
    removed: false,
    state: 'sent',
    ...more,
  }
}

function rowsOf(messages: ChatMessage[], more: Partial<RowsSource> = {}): readonly Row[] {
  return new RowBuilder().rowsOf({
    messages,
    notices: [],
    beginning: undefined,
    unreadFrom: undefined,
    ...more,
  })
}

const shape = (rows: readonly Row[]) =>
  rows.map((row) => (row.kind === 'message' ? `${row.opensGroup ? '+' : '-'}${row.message.id}` : row.kind))

const openings = (messages: ChatMessage[]) =>
  rowsOf(messages).flatMap((row) => (row.kind === 'message' && row.opensGroup ? row.message.id : []))

describe('rows', () => {
  test('are groups of one author within five minutes', () => {
    const messages = [
      message(1),
      message(2, { at: NOON + MINUTE }),
      message(3, { from: 'bob', at: NOON + MINUTE }),
      message(4, { at: NOON + 2 * MINUTE }),
      message(5, { at: NOON + 8 * MINUTE }),
    ]
    expect(shape(rowsOf(messages))).toEqual(['day', '+m1', '-m2', '+m3', '+m4', '+m5'])
  })

  test('name the author of a long group again, wherever the loaded messages begin', () => {
    const fast = Array.from({ length: 60 }, (_, place) => message(place + 1, { at: NOON + place * 1_000 }))
    expect(openings(fast)).toEqual(['m1', 'm16', 'm32', 'm48'])
    expect(openings(fast.slice(20))).toEqual(['m21', 'm32', 'm48'])
    const slow = Array.from({ length: 9 }, (_, place) =>
      message(place + 1, { at: NOON + place * 4 * MINUTE }),
    )
    expect(openings(slow)).toEqual(['m1', 'm5', 'm9'])
    const across = [message(1, { at: NOON - 1_000 }), message(2, { at: NOON + 1_000 })]
    expect(openings(across)).toEqual(['m1'])
  })

  test('that are not sent yet keep their height when they are', () => {
    const sent = Array.from({ length: 15 }, (_, place) => message(place + 1))
    const { seq, ...pending } = message(16, { state: 'pending' })
    expect(seq).toBe(16)
    expect(shape(rowsOf([...sent, pending])).at(-1)).toBe('+m16')
    expect(shape(rowsOf([...sent, message(16)])).at(-1)).toBe('+m16')
  })

  test('have a line above each day, and no group continues below it', () => {
    const midnight = dayOf(NOON + DAY)
    expect(shape(rowsOf([message(1, { at: midnight - 1 }), message(2, { at: midnight })]))).toEqual([
      'day',
      '+m1',
      'day',
      '+m2',
    ])
  })

  test('have one line above unread messages, also when the first of them is missing', () => {
    expect(shape(rowsOf([message(1), message(4), message(5)], { unreadFrom: 2 }))).toEqual([
      'day',
      '+m1',
      'unread',
      '+m4',
      '-m5',
    ])
    expect(shape(rowsOf([message(1)], { unreadFrom: 2 }))).toEqual(['day', '+m1'])
  })

  test('have notices in their places, and a beginning if there is one', () => {
    const notices: Notice[] = [
      { id: 2, after: 9, text: 'b' },
      { id: 1, after: 1, text: 'a' },
    ]
    expect(shape(rowsOf([message(1), message(2)], { notices, beginning: 'first' }))).toEqual([
      'beginning',
      'day',
      '+m1',
      'notice',
      '+m2',
      'notice',
    ])
    expect(rowsOf([], { beginning: 'first' })).toEqual([])
  })

  test('that do not change stay the same objects', () => {
    const builder = new RowBuilder()
    const source = { notices: [{ id: 1, after: 1, text: 'a' }], beginning: 'first', unreadFrom: 2 } as const
    const [one, two] = [message(1), message(2)]
    const before = builder.rowsOf({ ...source, messages: [one, two] })
    const after = builder.rowsOf({ ...source, messages: [one, { ...two, edited: true }, message(3)] })
    expect(before.map((row, place) => row === after[place])).toEqual([true, true, true, true, true, false])
  })

  test('have distinct keys', () => {
    const times = fc.array(fc.record({ from: fc.constantFrom('ann', 'bob'), days: fc.nat(3) }), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(times, fc.nat(20), (list, unreadFrom) => {
        const messages = list.map(({ from, days }, place) =>
          message(place + 1, { from, at: NOON + days * DAY }),
        )
        const keys = rowsOf(messages, { unreadFrom }).map(({ key }) => key)
        expect(new Set(keys).size).toBe(keys.length)
        expect(keys.filter((key) => key.startsWith('ann m') || key.startsWith('bob m'))).toHaveLength(
          messages.length,
        )
      }),
    )
  })
})

const from = (first: number, last: number) =>
  rowsOf(Array.from({ length: last - first + 1 }, (_, place) => message(first + place)))

test('a message from before the one above it opens a group with its time, once it is sent', () => {
  const wrong = message(1, { at: NOON + 2 * 60 * MINUTE })
  expect(shape(rowsOf([wrong, message(2)]))).toEqual(['day', '+m1', '+m2'])
  const { seq: _, ...unsent } = message(2)
  expect(shape(rowsOf([wrong, { ...unsent, state: 'pending' }]))).toEqual(['day', '+m1', '-m2'])
})

describe('the update steps to other rows', () => {
  test('are one step when only the end changes', () => {
    expect(updateSteps(from(1, 3), from(1, 5))).toEqual([{ rows: from(1, 5), shift: false }])
    expect(updateSteps([], from(1, 5))).toEqual([{ rows: from(1, 5), shift: false }])
  })

  test('keep the distance to the bottom when older rows arrive, also of the same day', () => {
    expect(updateSteps(from(4, 6), from(1, 6)).map(({ shift }) => shift)).toEqual([true])
  })

  test('change only the top first when both ends change', () => {
    const steps = updateSteps(from(1, 6), from(2, 7))
    expect(steps.map(({ shift, rows }) => [shift, rows.at(-1)?.key])).toEqual([
      [true, 'ann m6'],
      [false, 'ann m7'],
    ])
  })

  test('always end with the target rows', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), fc.nat(9), fc.nat(9), (a, b, c, d) => {
        const target = from(c + 1, c + d)
        expect(updateSteps(from(a + 1, a + b), target).at(-1)?.rows).toEqual(target)
      }),
    )
  })
})

describe('days', () => {
  test('have the usual names', () => {
    const words = { now: NOON, locale: 'en-GB' }
    expect(dayLabel(dayOf(NOON - 1), words)).toBe('Today')
    expect(dayLabel(dayOf(NOON - DAY), words)).toBe('Yesterday')
    expect(dayLabel(dayOf(NOON - 2 * DAY), words)).toMatch(/^Sunday,? 15 March$/)
    expect(dayLabel(dayOf(new Date(2024, 0, 5).getTime()), words)).toMatch(/^Friday,? 5 January 2024$/)
    expect(timeLabel(NOON)).toMatch(/^12:00/)
  })

  test('are the same when read in a series and one at a time', () => {
    const moments = fc.array(fc.integer({ min: NOON - 400 * DAY, max: NOON + 400 * DAY }), { maxLength: 30 })
    fc.assert(
      fc.property(moments, (list) => {
        expect(list.map(dayReader())).toEqual(list.map(dayOf))
      }),
    )
  })
})

describe('dates and numbers', () => {
  test('are in English, like the words beside them', () => {
    expect(englishLocale('de-DE')).toBe('en-GB')
    expect(englishLocale('en-US')).toBe('en-US')
    expect(englishLocale('enx')).toBe('en-GB')
    expect(dayLabel(dayOf(NOON - 2 * DAY), { now: NOON })).toMatch(/Sunday/)
  })
})

describe('notices', () => {
  test('come after the message that they are about, each once', () => {
    const one = withNotice([], { doubt: { reason: 'missing', from: 3, to: 5 } }, 9)
    expect(one).toMatchObject([{ after: 5, text: expect.stringContaining('3 messages are missing') }])
    expect(withNotice(one, { doubt: { reason: 'missing', from: 3, to: 5 } }, 9)).toBe(one)
    expect(withNotice(one, { doubt: { reason: 'epoch' } }, 9).at(-1)).toMatchObject({ after: 9 })
    expect(withNotice(one, { doubt: { reason: 'contradiction', seq: 2 } }, 9).at(-1)).toMatchObject({
      after: 2,
    })
  })

  test('from before a reset are removed by it', () => {
    const before = withNotice([], { doubt: { reason: 'epoch' } }, 9)
    for (const reset of ['epoch', 'expired'] as const) {
      expect(withNotice(before, { reset }, 0)).toMatchObject([{ after: 0 }])
    }
  })

  test('are limited in number', () => {
    let notices: readonly Notice[] = []
    for (let seq = 1; seq <= 80; seq += 1)
      notices = withNotice(notices, { doubt: { reason: 'contradiction', seq } }, seq)
    expect(notices).toHaveLength(50)
    expect(notices.at(-1)?.after).toBe(80)
  })
})
