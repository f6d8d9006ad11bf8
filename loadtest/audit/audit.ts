/**
 * The auditor: holds what each member of each room was shown against what was sent and acked. Pure; judges nothing but the ledger.
 *
 * Owed to a member:
 * - `bench`, `bare`: each acked message that was sent after the member had joined and acked before it left (for good, if it did).
 * - `chat`: each message that was acked or shown to anybody, and whose number follows the head at which the member joined, or which
 *   was sent after that; of one who left, what was acked before it left or precedes the last that it was shown. What nobody got an
 *   ack for counts as well once others were shown it: the log gives the same to all. So does a number that is missing in a member's
 *   dense sequence without anybody knowing whose it is.
 * What was under way while the member was away is owed like the rest, for that is what a user loses, and counted apart as well
 * (`lostWhileAway`).
 *
 * A member's records of one room are one after the other in time. Where the room's log was replaced (another epoch) order and
 * doubles are judged within each log, and a message counts as shown whichever of the logs showed it.
 *
 * `doubled`, `outOfOrder` and `ordersDiffer` count showings, each at most once a kind (sender-order.ts and log-order.ts say what order
 * is); `shownUnacked` counts messages, those that were refused and shown all the same among them.
 */
import type { DeliveryRecords } from '../model/delivery-records.ts'
import type { Dialect } from '../model/plan.ts'
import type { Audited } from '../model/result.ts'
import { Findings } from './findings.ts'
import { labelsOf } from './labels.ts'
import { RoomAudit } from './room-audit.ts'
import { roomsOf } from './room-records.ts'

/** @param zeroAt of `clock.ts`: examples count their seconds from it; the first send where it is not given */
export function audit(records: DeliveryRecords, dialect: Dialect, zeroAt = firstSendAt(records)): Audited {
  const findings = new Findings()
  for (const room of roomsOf(records)) {
    const roomAudit = new RoomAudit(room, findings, labelsOf(room, zeroAt))
    if (dialect === 'chat') roomAudit.ofLog()
    else roomAudit.ofBroadcasts()
  }
  const overflowed = records.parts.some((part) => part.overflowed)
  return {
    ok: findings.defects === 0 && !overflowed,
    ...endsOf(records),
    expected: findings.expected,
    delivered: findings.expected - findings.counts.lost,
    ...findings.counts,
    lostWhileAway: findings.lostWhileAway,
    overflowed,
    examples: findings.examples(),
  }
}

function firstSendAt({ parts }: DeliveryRecords): number {
  let first = Number.POSITIVE_INFINITY
  for (const { sends } of parts) for (const sentAt of sends.sentAt) if (sentAt < first) first = sentAt
  return Number.isFinite(first) ? first : 0
}

function endsOf({ parts }: DeliveryRecords): Pick<Audited, 'sent' | 'acked' | 'refused' | 'unanswered'> {
  let [sent, acked, refused] = [0, 0, 0]
  for (const { sends } of parts) {
    sent += sends.keys.length
    for (const ackedAt of sends.ackedAt) if (!Number.isNaN(ackedAt)) acked += 1
    for (const one of sends.refused) refused += one
  }
  return { sent, acked, refused, unanswered: sent - acked - refused }
}
