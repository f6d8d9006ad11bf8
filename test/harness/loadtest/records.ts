/**
 * Delivery records made by hand, as a load-test run would write them, in which a test can place the defects
 * to be found.
 */
import type { AgentRecords } from '../../../loadtest/model/agent-protocol.ts'
import { type DeliveryRecords, keyOf, type MemberRecord } from '../../../loadtest/model/delivery-records.ts'

export interface MadeSend {
  sender: number
  number: number
  room?: string
  sentAt: number
  /** Undefined: never. */
  ackedAt?: number
  seq?: number
  refused?: boolean
}

export interface MadeMember {
  client: number
  room?: string
  joinedAt?: number
  leftAt?: number
  head?: number
  epoch?: string
  /** Sender, number and, in `chat`, sequence number. */
  shown: readonly (readonly [number, number, (number | undefined)?])[]
  foreignIds?: readonly string[]
  absences?: readonly (readonly [number, number])[]
}

export const ROOM = 'room-0'

/** @param agents the number of parts over which sends and members are distributed */
export function recordsOf(
  sends: readonly MadeSend[],
  members: readonly MadeMember[],
  agents = 1,
): DeliveryRecords {
  const part = (agent: number): AgentRecords => ({
    type: 'records',
    more: false,
    overflowed: false,
    sends: columnsOf(sends.filter(({ sender }) => sender % agents === agent)),
    members: members.filter(({ client }) => client % agents === agent).map(recordOf),
  })
  return { parts: Array.from({ length: agents }, (_, agent) => part(agent)) }
}

function columnsOf(sends: readonly MadeSend[]): AgentRecords['sends'] {
  return {
    keys: Float64Array.from(sends, ({ sender, number }) => keyOf(sender, number)),
    rooms: sends.map(({ room = ROOM }) => room),
    sentAt: Float64Array.from(sends, ({ sentAt }) => sentAt),
    ackedAt: Float64Array.from(sends, ({ ackedAt = Number.NaN }) => ackedAt),
    seqs: Float64Array.from(sends, ({ seq = Number.NaN }) => seq),
    refused: Uint8Array.from(sends, ({ refused = false }) => Number(refused)),
  }
}

function recordOf(member: MadeMember): MemberRecord {
  const { client, room = ROOM, joinedAt = 0, leftAt = Number.NaN, head = Number.NaN, epoch } = member
  const foreignIds = [...(member.foreignIds ?? [])]
  return {
    client,
    room,
    joinedAt,
    leftAt,
    head,
    ...(epoch === undefined
      ? {}
      : { epoch, seqs: Float64Array.from(member.shown, ([, , seq = Number.NaN]) => seq) }),
    keys: Float64Array.from(member.shown, ([sender, number]) => keyOf(sender, number)),
    foreignIds,
    foreignCount: foreignIds.length,
    absences: (member.absences ?? []).map(([from, back]) => [from, back]),
  }
}
