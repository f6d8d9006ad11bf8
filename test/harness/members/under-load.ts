/** A crowd on one host that writes before, during and after a fault and is audited afterwards. */
import { randomUUID } from 'node:crypto'
import { until } from '../until.ts'
import { Crowd, type CrowdOptions } from './crowd.ts'
import type { Member } from './member.ts'

/** Acked before the fault, and again after it. */
const MESSAGES = 100

export interface LoadOptions extends Pick<CrowdOptions, 'url'> {
  /** Prefix of the names of rooms and members. */
  label: string
  rooms?: number
  membersPerRoom?: number
}

/**
 * All members write before, during and after `happening`. Then no acked message is missing or duplicated, and all members have
 * seen one order.
 */
export async function underLoad(
  options: LoadOptions,
  happening: (crowd: Crowd) => Promise<void>,
): Promise<Crowd> {
  const label = `${options.label}${randomUUID().slice(0, 8)}-`
  const crowd = new Crowd({ rooms: 4, membersPerRoom: 6, paceMs: 150, ...options, label })
  try {
    await crowd.joined()
    let over = false
    const writing = crowd.writeUntil(() => over)
    const through = async () => {
      try {
        await untilMoreAcked(crowd)
        await happening(crowd)
        await untilMoreAcked(crowd)
      } finally {
        over = true
      }
    }
    await Promise.all([through(), writing])
    // One more message each: it shows every member the end of the log.
    await crowd.write(1)
    await crowd.audit()
    return crowd
  } finally {
    crowd.close()
  }
}

export function untilMoreAcked(crowd: Crowd, count = MESSAGES): Promise<void> {
  const before = crowd.ackedCount
  return until(
    () => crowd.ackedCount >= before + count,
    `${count} more messages are acked`,
    () => `${crowd.ackedCount - before} are; refused because of ${crowd.reasons().join(', ')}`,
  )
}

/** Members by whether this worker serves them. */
export function servedBy(crowd: Crowd, worker: string): { its: Member[]; others: Member[] } {
  return {
    its: crowd.members.filter((member) => member.worker === worker),
    others: crowd.members.filter((member) => member.worker !== worker),
  }
}
