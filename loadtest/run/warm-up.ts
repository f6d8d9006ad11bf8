/**
 * Connects, loads and disconnects clients before anything is counted, so that what servers allocate once is
 * not taken for a leak. Its rooms and users are not those of the run.
 */

import type { FleetOptions } from '../fleet/fleet.ts'
import { openFleet } from '../fleet/open-fleet.ts'
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { Load } from '../model/plan.ts'
import { nowMs } from '../system/clock.ts'
import { unlessStopped, waitUntil } from './wait.ts'

/** After the last client started to connect. */
const JOIN_MS = 60_000
const SETTLE_MS = 20_000
const LEAD_MS = 300

export async function warmUpServers(
  options: Omit<FleetOptions, 'onSecond'>,
  load: Load,
  stop: AbortSignal,
): Promise<void> {
  const fleet = await openFleet({ ...options, onSecond: ignore })
  try {
    fleet.connect(nowMs() + LEAD_MS)
    const lastMs = Math.max(0, ...options.clients.map(({ connectAtMs }) => connectAtMs))
    await unlessStopped(fleet.untilJoined(lastMs + JOIN_MS), stop)
    const fromAt = nowMs() + LEAD_MS
    fleet.load(load, fromAt)
    await waitUntil(fromAt + load.durationMs, stop)
    await unlessStopped(fleet.settle(SETTLE_MS), stop)
  } finally {
    await fleet.close()
  }
}

function ignore(_agent: number, _second: AgentSecond): void {}
