/** Starts the client processes of a run. */
import type { Fleet, FleetOptions } from './fleet.ts'
import { ForkedFleet } from './forked-fleet.ts'

/** Rejects if the processes can't be started. */
export async function openFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new ForkedFleet(options)
  try {
    await fleet.ready()
  } catch (error) {
    await fleet.close()
    throw error
  }
  return fleet
}
