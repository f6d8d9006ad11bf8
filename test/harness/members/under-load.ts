/** A crowd on one host that writes before, while and after something happens to it, and is audited then. */
import { randomUUID } from 'node:crypto'
import { until } from '../until.ts'
import { Crowd, type CrowdOptions } from './crowd.ts'
import type { Member } from './member.ts'

/** Acked before it happens, and once more after it. */
const MESSAGES = 100

export interface LoadOptions extends Pick<CrowdOptions, 'url'> {
  /** Begins the names of rooms and members. */
  label: string
  rooms?: number
  membersPerRoom?: number
}

/**
 * Everybody writes; `happening` happens; everybody goes on. Then nothing that was acked is missing or doubled, and all have
 * seen one order.
 */
export async function underLoad(
  options: LoadOptions,
  happening: (crowd: Crowd) => Promise<void>,
): Promise<Crowd> {
  // A second try of a test is not to meet what the first one left.
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
    // Each is shown what it needs to know where it stands.
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
