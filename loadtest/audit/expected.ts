/** Which messages a member of a room must receive; audit.ts states the rules. */
import type { MemberRecord } from '../model/delivery-records.ts'
import type { LogOrder } from './log-order.ts'
import type { ShownRecord } from './order.ts'
import type { RoomSends } from './room-records.ts'

/** @returns whether the send at `index` is expected */
export type IsExpected = (index: number) => boolean

/** What was sent after it joined and acked before it left. */
export function expectedOfBroadcasts(
  { sentAt, ackedAt }: RoomSends,
  records: readonly MemberRecord[],
): IsExpected {
  return (index) => {
    const sent = sentAt[index] ?? Number.NaN
    const acked = ackedAt[index] ?? Number.NaN
    return records.some(
      ({ joinedAt, leftAt }) =>
        sent > joinedAt && (Number.isNaN(leftAt) ? !Number.isNaN(acked) : acked < leftAt),
    )
  }
}

export interface LogRules {
  sends: RoomSends
  order: LogOrder
  /** By index of a send: 1 if any member of the room received it. */
  shown: Uint8Array
}

/** What follows the head at which it joined, until it left, and everything before its last delivery. */
export function expectedOfLog(
  { sends, order, shown }: LogRules,
  records: readonly ShownRecord[],
): IsExpected {
  const memberships = records.map((one) => ({ ...one.record, latest: order.latestOf(one) }))
  return (index) => {
    const acked = sends.ackedAt[index] ?? Number.NaN
    if (Number.isNaN(acked) && shown[index] !== 1) return false
    return memberships.some(({ epoch, head, joinedAt, leftAt, latest }) => {
      const seq = order.seqIn(epoch, index)
      const follows = seq > head || (sends.sentAt[index] ?? Number.NaN) > joinedAt
      return follows && (Number.isNaN(leftAt) || acked < leftAt || seq < latest)
    })
  }
}

/** Whether the message was outstanding while the member was away. */
export function sentWhileAway(
  { sentAt, ackedAt }: RoomSends,
  index: number,
  records: readonly MemberRecord[],
): boolean {
  const sent = sentAt[index] ?? Number.NaN
  const acked = ackedAt[index] ?? Number.NaN
  const until = Number.isNaN(acked) ? sent : acked
  return records.some(({ absences }) =>
    absences.some(([from, back]) => until >= from && (Number.isNaN(back) || sent <= back)),
  )
}
