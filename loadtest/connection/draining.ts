/**
 * The `draining` event of a server that is about to close its connections, each at a time of its own. Pure.
 */
import { z } from 'zod'

const Draining = z.object({ reconnectInMs: z.number().min(0).max(300_000) })

/** As in the client package: leaving slightly early avoids a time without a connection. */
const LEAVE_SHARE = 0.9

/** @returns undefined if it names no time */
export function leaveInMs(payload: unknown): number | undefined {
  const { data } = Draining.safeParse(payload)
  return data === undefined ? undefined : LEAVE_SHARE * data.reconnectInMs
}
