import { describe, expect, it } from 'vitest'
import { audit } from '../../loadtest/audit/audit.ts'
import { verdictLines } from '../../loadtest/audit/verdict-lines.ts'
import type { Audited } from '../../loadtest/model/result.ts'
import { type MadeMember, type MadeSend, ROOM, recordsOf } from '../harness/loadtest/records.ts'
import { NO_DEFECTS } from '../harness/loadtest/results.ts'

function countsOf(verdict: Audited): typeof NO_DEFECTS {
  const { lost, lostWhileAway, doubled, outOfOrder, ordersDiffer, phantom, shownUnacked } = verdict
  return { lost, lostWhileAway, doubled, outOfOrder, ordersDiffer, phantom, shownUnacked }
}

/** Three messages of client 1 and two of client 2, one after the other; their log numbers start at 11. */
const sends: readonly MadeSend[] = [
  { sender: 1, number: 0, sentAt: 1_000, ackedAt: 1_010, seq: 11 },
  { sender: 2, number: 0, sentAt: 2_000, ackedAt: 2_010, seq: 12 },
  { sender: 1, number: 1, sentAt: 3_000, ackedAt: 3_010, seq: 13 },
  { sender: 2, number: 1, sentAt: 4_000, ackedAt: 4_010, seq: 14 },
  { sender: 1, number: 2, sentAt: 5_000, ackedAt: 5_010, seq: 15 },
]
const all: MadeMember['shown'] = [
  [1, 0, 11],
  [2, 0, 12],
  [1, 1, 13],
  [2, 1, 14],
  [1, 2, 15],
]
const without = (...left: number[]): MadeMember['shown'] => all.filter((_, at) => !left.includes(at))
const inOrder = (...order: number[]): MadeMember['shown'] => order.flatMap((at) => all.slice(at, at + 1))
/** A send without an ack. */
const unacked = ({ sender, number, sentAt }: MadeSend): MadeSend => ({ sender, number, sentAt })
const sendsBut = (changed: number, change: (send: MadeSend) => MadeSend) =>
  sends.map((send, at) => (at === changed ? change(send) : send))

const broadcast = (members: readonly MadeMember[], made = sends) =>
  audit(recordsOf(made, [{ client: 1, shown: all }, ...members]), 'bench')

const logged = (members: readonly MadeMember[], made = sends) =>
  audit(
    recordsOf(
      made,
      [{ client: 1, shown: all }, ...members].map((member) => ({ head: 10, epoch: 'log', ...member })),
    ),
    'chat',
  )

/** A member without expected messages. */
const shownTo = (client: number, ...order: number[]): MadeMember => ({
  client,
  joinedAt: 9_000,
  shown: inOrder(...order),
})
const swallowed = (seq: number): MadeSend => ({ sender: 3, number: 0, sentAt: 6_000, ackedAt: 6_010, seq })

describe.each([
  ['broadcasts', broadcast],
  ['a log', logged],
])('for %s, the auditor', (_name, of) => {
  it('finds nothing in a good run', () => {
    const verdict = of([{ client: 2, shown: all }])
    expect(verdict).toMatchObject({ ...NO_DEFECTS, ok: true, sent: 5, acked: 5, refused: 0, unanswered: 0 })
    expect(verdict).toMatchObject({ expected: 10, delivered: 10, overflowed: false, examples: [] })
  })

  it('names messages that were never delivered to a member', () => {
    const verdict = of([{ client: 44, shown: without(2) }])
    expect(verdict).toMatchObject({ ok: false, expected: 10, delivered: 9 })
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, lost: 1 })
    expect(verdict.examples).toEqual(['lost: 1-1 of room-0 (sent 2.0 s, acked 2.0 s) by client 44'])
  })

  it('also counts separately what was lost while its member was away', () => {
    const absences = [
      [1_900, 2_005],
      [4_900, Number.NaN],
    ] as const
    const verdict = of([{ client: 44, shown: without(1, 2, 4), absences }])
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, lost: 3, lostWhileAway: 2 })
    expect(verdict.examples).toContain(
      'lost: 2-0 of room-0 (sent 1.0 s, acked 1.0 s) by client 44 (away 0.9–1.0 s, from 3.9 s on)',
    )
  })

  it('counts a message that was delivered twice once, and nothing else', () => {
    const verdict = of([{ client: 44, shown: inOrder(0, 1, 2, 1, 3, 4) }])
    expect(verdict.ok).toBe(false)
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, doubled: 1 })
    expect(verdict.examples).toEqual(['duplicated: 2-0 of room-0, at client 44'])
  })

  it('recognizes a message that was never sent, one of another room, and foreign ids', () => {
    const made = [...sends, { sender: 3, number: 0, room: 'room-1', sentAt: 1, ackedAt: 2, seq: 1 }]
    const shown = [...all, [9, 9, 16], [3, 0, 17]] as const
    const verdict = of([{ client: 44, shown, foreignIds: ['other-1-1', 'x'] }], made)
    expect(verdict.ok).toBe(false)
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, phantom: 4 })
    expect(verdict.examples).toEqual([
      'phantom: in room-0, at client 44: 9-9 was never sent there',
      'phantom: in room-0, at client 44: 3-0 was never sent there',
      'phantom: in room-0, at client 44: foreign ids such as other-1-1 x',
    ])
  })

  it('reports what was delivered without an ack, which is not a defect', () => {
    const verdict = of([{ client: 2, shown: all }], sendsBut(4, unacked))
    expect(verdict).toMatchObject({ ok: true, sent: 5, acked: 4, unanswered: 1 })
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, shownUnacked: 1 })
    expect(verdict.examples).toEqual(['delivered, not acked: 1-2 of room-0 (sent 4.0 s, never acked)'])
  })

  it('expects nothing for refused messages', () => {
    const refused = sendsBut(4, (send) => ({ ...unacked(send), refused: true }))
    const verdict = audit(
      recordsOf(refused, [{ client: 2, head: 10, epoch: 'log', shown: without(4) }]),
      of === logged ? 'chat' : 'bench',
    )
    expect(verdict).toMatchObject({ ...NO_DEFECTS, ok: true, refused: 1, unanswered: 0, expected: 4 })
  })

  it('expects only what was acked before the leave for a member that left', () => {
    const leaver = { client: 44, leftAt: 3_500 }
    expect(of([{ ...leaver, shown: inOrder(0, 1, 2) }])).toMatchObject({ ok: true, expected: 8 })
    expect(of([{ ...leaver, shown: inOrder(0, 1) }])).toMatchObject({ ok: false, lost: 1 })
  })

  it('expects nothing from before the join', () => {
    const late = { client: 44, joinedAt: 2_500, head: 12 }
    expect(of([{ ...late, shown: inOrder(2, 3, 4) }])).toMatchObject({ ok: true, expected: 8 })
    expect(of([{ ...late, shown: inOrder(3, 4) }])).toMatchObject({ ok: false, lost: 1 })
  })

  it('combines several memberships of a client', () => {
    const stays = [
      { client: 44, leftAt: 2_500, shown: inOrder(0, 1) },
      { client: 44, joinedAt: 4_500, head: 14, shown: inOrder(4) },
    ]
    expect(of(stays)).toMatchObject({ ok: true, expected: 8 })
    const twice = [...stays.slice(0, 1), { client: 44, joinedAt: 4_500, head: 14, shown: inOrder(1, 4) }]
    expect(countsOf(of(twice))).toEqual({ ...NO_DEFECTS, doubled: 1 })
  })

  it('is not ok when the delivery records overflowed', () => {
    const made = recordsOf(sends, [])
    const parts = made.parts.map((part) => ({ ...part, overflowed: true }))
    const verdict = audit({ parts }, of === logged ? 'chat' : 'bench')
    expect(verdict).toMatchObject({ ok: false, overflowed: true, lost: 0 })
  })

  it('gives twenty examples, some of each defect', () => {
    const nobody = Array.from({ length: 30 }, (_, at) => ({ client: 100 + at, shown: [] }))
    const { examples, lost } = of([
      ...nobody,
      { client: 44, shown: [...all, ...inOrder(4)], foreignIds: ['x'] },
    ])
    expect(lost).toBe(150)
    expect(examples).toHaveLength(20)
    expect(examples.slice(0, 3).map((line) => line.split(':')[0])).toEqual(['lost', 'duplicated', 'phantom'])
  })
})

describe('of broadcasts, the auditor', () => {
  it('detects a later message of a sender before an earlier one', () => {
    const verdict = broadcast([{ client: 44, shown: inOrder(1, 2, 0, 3, 4) }])
    expect(verdict.ok).toBe(false)
    expect(verdict.outOfOrder).toBe(1)
    expect(verdict.examples[0]).toBe(
      'out of order: 1-0 of room-0 after a later one of its sender, at client 44',
    )
  })

  it('counts order differences between several senders separately, since no order is guaranteed', () => {
    const verdict = broadcast([{ client: 44, shown: inOrder(1, 0, 2, 4, 3) }])
    expect(verdict.ok).toBe(true)
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, ordersDiffer: 2 })
  })

  it('detects no order difference for messages that only one of two received', () => {
    const verdict = audit(recordsOf(sends, [shownTo(1, 0, 1, 2), shownTo(2, 3, 0, 2)]), 'bare')
    expect(countsOf(verdict)).toEqual(NO_DEFECTS)
  })

  it('expects nothing for messages that were never acked, even if others received them', () => {
    const verdict = broadcast([{ client: 44, shown: without(4) }], sendsBut(4, unacked))
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, shownUnacked: 1 })
  })
})

describe('of a log, the auditor', () => {
  it('detects numbers that do not ascend', () => {
    const verdict = logged([{ client: 44, shown: inOrder(0, 2, 1, 3, 4) }])
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, outOfOrder: 1, ordersDiffer: 1 })
    expect(verdict.examples[0]).toBe('out of order: 2-0 of room-0 number 12 after 13, at client 44')
  })

  it('detects a message whose number differs from its ack', () => {
    const shown = all.map(([sender, number, seq]) => [sender, number, seq === 15 ? 16 : seq] as const)
    const verdict = logged([{ client: 44, shown }])
    expect(verdict).toMatchObject({ ok: false, outOfOrder: 1 })
    expect(verdict.examples[0]).toContain(
      '1-2 of room-0 with the number 16, which is 15 for others or in its ack',
    )
  })

  it('detects that one number means different messages to two members', () => {
    const made = [...sends.map(unacked), { sender: 3, number: 0, sentAt: 5_001 }]
    const verdict = logged([{ client: 44, shown: [...without(4), [3, 0, 15]] }], made)
    expect(verdict).toMatchObject({ ok: false, outOfOrder: 1, lost: 2 })
    expect(verdict.examples).toContain(
      'out of order: room-0 has 1 sequence numbers with more than one message',
    )
  })

  it('expects an unacked message for all members once one has received it', () => {
    const verdict = logged([{ client: 44, shown: without(4) }], sendsBut(4, unacked))
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, lost: 1, shownUnacked: 1 })
  })

  it('expects an acked message even if nobody received it, whatever number the ack has', () => {
    for (const seq of [16, 0, Number.NaN])
      expect(logged([], [...sends, swallowed(seq)])).toMatchObject({ ok: false, lost: 1, outOfOrder: 0 })
  })

  it('counts missing numbers, whoever sent them', () => {
    const made = sends.filter((_, at) => at !== 1 && at !== 2)
    const shown = without(1, 2)
    const verdict = audit(recordsOf(made, [{ client: 44, head: 10, epoch: 'log', shown }]), 'chat')
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, lost: 2 })
    expect(verdict.expected - verdict.delivered).toBe(2)
    expect(verdict.examples).toEqual(['lost: 2 unknown sequence numbers of room-0 by client 44'])
  })

  it('expects everything before the last message that a leaver received', () => {
    const verdict = logged([{ client: 44, leftAt: 3_500, shown: inOrder(0, 1, 3) }])
    expect(countsOf(verdict)).toEqual({ ...NO_DEFECTS, lost: 1 })
  })

  it('treats what precedes the head as history', () => {
    expect(logged([{ client: 44, joinedAt: 2_500, head: 12, shown: all }])).toMatchObject({
      ok: true,
      expected: 8,
    })
  })

  it('starts over when another log replaces the first', () => {
    const made = sends.map((send, at) => (at < 3 ? send : { ...send, seq: at - 2 }))
    const next = [
      [2, 1, 1],
      [1, 2, 2],
    ] as const
    const member = (client: number, shownOfNext: MadeMember['shown'] = next): MadeMember[] => [
      { client, head: 10, epoch: 'log', shown: inOrder(0, 1, 2) },
      { client, joinedAt: 3_500, head: 0, epoch: 'next', shown: shownOfNext },
    ]
    const of = (shownOfNext?: MadeMember['shown']) =>
      audit(recordsOf(made, [...member(1), ...member(2, shownOfNext)]), 'chat')
    expect(of()).toMatchObject({ ...NO_DEFECTS, ok: true, expected: 10 })
    expect(countsOf(of(next.slice(0, 1)))).toEqual({ ...NO_DEFECTS, lost: 1 })
    expect(countsOf(of([...next, ...next.slice(0, 1)]))).toEqual({ ...NO_DEFECTS, doubled: 1 })
    const stray = made.map((send, at) => (at === 4 ? { ...send, seq: 99 } : send))
    expect(audit(recordsOf(stray, [...member(1), ...member(2)]), 'chat')).toMatchObject({
      ok: false,
      outOfOrder: 1,
    })
  })
})

it('counts the seconds of examples from the given start time', () => {
  const verdict = audit(recordsOf(sends.slice(0, 1), [{ client: 7, shown: [] }]), 'bench', -9_000)
  expect(verdict.examples).toEqual([`lost: 1-0 of ${ROOM} (sent 10.0 s, acked 10.0 s) by client 7`])
})

describe('a verdict in words', () => {
  it('reports that nothing was wrong', () => {
    expect(verdictLines(broadcast([{ client: 2, shown: all }]))).toEqual([
      'Nothing was lost, duplicated, out of order or made up.',
      '5 messages sent: 5 acked.',
      '10 of 10 expected deliveries arrived.',
    ])
  })

  it('reports what was wrong, with examples', () => {
    const absences = [[2_900, 3_100]] as const
    const made = [...sendsBut(4, unacked), { sender: 5, number: 0, sentAt: 6_000, refused: true }]
    const lines = verdictLines(broadcast([{ client: 44, shown: inOrder(1, 0, 0, 3), absences }], made))
    expect(lines).toEqual([
      'Failed: 1 lost, 1 duplicated.',
      '6 messages sent: 4 acked, 1 refused, 1 without an answer.',
      '7 of 8 expected deliveries arrived; 1 lost, of these 1 while the member was away.',
      '1 messages have different orders for different members.',
      '1 messages were delivered though their senders got no ack.',
      '  lost: 1-1 of room-0 (sent 2.0 s, acked 2.0 s) by client 44 (away 1.9–2.1 s)',
      '  duplicated: 1-0 of room-0, at client 44 (away 1.9–2.1 s)',
      '  other order: 1-0 of room-0 after one that others got later, at client 44 (away 1.9–2.1 s)',
      '  delivered, not acked: 1-2 of room-0 (sent 4.0 s, never acked)',
    ])
  })
})
