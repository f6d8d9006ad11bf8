/** Labels of messages, members and absences in examples. Times are seconds from the run's zero. */
import { type MemberRecord, numberOf, senderOf } from '../model/delivery-records.ts'
import type { RoomMember, RoomRecords } from './room-records.ts'

/** Per member in one example. */
const MAX_ABSENCES = 3

export interface RoomLabels {
  /** `12-7 of room-3` */
  message(index: number): string
  /** `12-7 of room-3 (sent 12.3 s, acked 12.4 s)` */
  timed(index: number): string
  /** `client 44 (away 11.9–14.0 s)` */
  member(member: RoomMember): string
}

export const nameOf = (key: number): string => `${senderOf(key)}-${numberOf(key)}`

export function labelsOf({ room, sends }: RoomRecords, zeroAt: number): RoomLabels {
  const seconds = (at: number) => ((at - zeroAt) / 1_000).toFixed(1)
  const message = (index: number) => `${nameOf(sends.keys[index] ?? 0)} of ${room}`
  return {
    message,
    timed: (index) => {
      const acked = sends.ackedAt[index] ?? Number.NaN
      const end = Number.isNaN(acked)
        ? ['never acked', 'refused'][sends.refused[index] ?? 0]
        : `acked ${seconds(acked)} s`
      return `${message(index)} (sent ${seconds(sends.sentAt[index] ?? 0)} s, ${end})`
    },
    member: ({ client, records }) => {
      const absences = absencesOf(records).map(([from, back]) =>
        Number.isNaN(back) ? `from ${seconds(from)} s on` : `${seconds(from)}–${seconds(back)} s`,
      )
      const more = absences.length > MAX_ABSENCES ? ' …' : ''
      const listed = absences.slice(0, MAX_ABSENCES).join(', ')
      return absences.length === 0 ? `client ${client}` : `client ${client} (away ${listed}${more})`
    },
  }
}

function absencesOf(records: readonly MemberRecord[]): MemberRecord['absences'] {
  return records.flatMap(({ absences }) => absences)
}
