/**
 * Audits the delivery records: compares what each member of each room received with what was sent and acked.
 * Pure.
 *
 * A member is expected to receive:
 * - `bench`, `bare`: each acked message that was sent after the member joined and, if it left for good, acked
 *   before it left.
 * - `chat`: each message that was acked or delivered to any member, and that follows the head at which the
 *   member joined or was sent after that. For a member that left: what was acked before it left, or precedes
 *   its last delivery. A message without an ack counts too once another member received it, because the log
 *   is the same for all. So does a missing number in a member's sequence, even if no one knows its message.
 * Messages sent while the member was away are expected like the others, since users would miss them; they are
 * also counted apart (`lostWhileAway`).
 *
 * A member's records of one room follow each other in time. If the room's log was replaced (another epoch),
 * order and duplicates are judged within each log, and a message counts as delivered whichever log delivered
 * it.
 *
 * `doubled`, `outOfOrder` and `ordersDiffer` count deliveries, each at most once per kind (sender-order.ts
 * and log-order.ts define order). `shownUnacked` counts messages, including those refused and delivered all
 * the same.
 */
import type { DeliveryRecords } from '../model/delivery-records.ts'
import type { Dialect } from '../model/plan.ts'
import type { Audited } from '../model/result.ts'
import { Findings } from './findings.ts'
import { labelsOf } from './labels.ts'
import { RoomAudit } from './room-audit.ts'
import { roomsOf } from './room-records.ts'

/** @param zeroAt time from which examples count their seconds; the first send by default */
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
