/** Random runs without defects, for tests that break them in one place. */
import fc from 'fast-check'
import type { DeliveryRecords } from '../../../loadtest/model/delivery-records.ts'
import type { Dialect } from '../../../loadtest/model/plan.ts'
import { recordsOf } from './records.ts'

/** `kept`: it was shown, although no ack arrived. `dropped`: it did not reach the server. */
type End = 'acked' | 'kept' | 'refused' | 'dropped'

export interface RandomMessage {
  room: string
  sender: number
  number: number
  sentAt: number
  end: End
  /** In the room's log. */
  seq: number | undefined
}

export interface RandomMember {
  room: string
  client: number
  joinedAt: number
  leftAt: number | undefined
  head: number
  shown: RandomMessage[]
  foreignIds: string[]
}

export interface RandomRun {
  dialect: Dialect
  agents: number
  messages: RandomMessage[]
  members: RandomMember[]
}

const SPAN_MS = 100
const SENDERS_A_ROOM = 5
const MESSAGES = 20

const drawnRoom = fc.record({
  base: fc.nat(1_000),
  messages: fc.array(
    fc.record({
      sender: fc.nat(SENDERS_A_ROOM - 1),
      end: fc.constantFrom<End>('acked', 'acked', 'acked', 'kept', 'refused', 'dropped'),
    }),
    { minLength: 4, maxLength: MESSAGES },
  ),
  members: fc.array(fc.record({ from: fc.nat(MESSAGES), stays: fc.boolean(), to: fc.nat(MESSAGES) }), {
    minLength: 2,
    maxLength: SENDERS_A_ROOM,
  }),
})
type DrawnRoom = typeof drawnRoom extends fc.Arbitrary<infer Drawn> ? Drawn : never

export function randomRun(dialect: Dialect): fc.Arbitrary<RandomRun> {
  const rooms = fc.array(drawnRoom, { minLength: 2, maxLength: 3 })
  return fc.record({ agents: fc.integer({ min: 1, max: 3 }), rooms }).map((drawn) => {
    const made = drawn.rooms.map(roomFrom)
    return {
      dialect,
      agents: drawn.agents,
      messages: made.flatMap(({ messages }) => messages),
      members: made.flatMap(({ members }) => members),
    }
  })
}

export function recordsFrom({ dialect, agents, messages, members }: RandomRun): DeliveryRecords {
  const isChat = dialect === 'chat'
  return recordsOf(
    messages.map(({ room, sender, number, sentAt, end, seq }) => ({
      room,
      sender,
      number,
      sentAt,
      ...(end === 'acked' ? { ackedAt: sentAt + SPAN_MS / 2 } : {}),
      ...(isChat && end === 'acked' && seq !== undefined ? { seq } : {}),
      refused: end === 'refused',
    })),
    members.map(({ head, leftAt = Number.NaN, shown, ...member }) => ({
      ...member,
      leftAt,
      shown: shown.map(({ sender, number, seq }) => [sender, number, seq] as const),
      ...(isChat ? { head, epoch: 'log' } : {}),
    })),
    agents,
  )
}

/** One message after another; the members join and leave between two. */
function roomFrom({ base, messages, members }: DrawnRoom, index: number) {
  const room = `room-${index}`
  const made = messagesFrom(messages, room, index, base)
  return {
    messages: made,
    members: members.map(({ from, stays, to }, seat): RandomMember => {
      const seen = made
        .slice(from, stays ? undefined : Math.max(from, to))
        .filter(({ seq }) => seq !== undefined)
      const kept = made.slice(0, from).filter(({ seq }) => seq !== undefined)
      return {
        room,
        client: index * SENDERS_A_ROOM + seat,
        joinedAt: from * SPAN_MS,
        leftAt: stays ? undefined : Math.max(from, to) * SPAN_MS,
        head: base + kept.length,
        shown: seen,
        foreignIds: [],
      }
    }),
  }
}

function messagesFrom(
  drawn: DrawnRoom['messages'],
  room: string,
  index: number,
  base: number,
): RandomMessage[] {
  const numbers = new Map<number, number>()
  let seq = base
  return drawn.map(({ sender, end }, at) => {
    const number = numbers.get(sender) ?? 0
    numbers.set(sender, number + 1)
    const isKept = end === 'acked' || end === 'kept'
    if (isKept) seq += 1
    return {
      room,
      sender: index * SENDERS_A_ROOM + sender,
      number,
      sentAt: at * SPAN_MS + 1,
      end,
      seq: isKept ? seq : undefined,
    }
  })
}
