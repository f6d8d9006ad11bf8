/** What a server says that is going to close its connections, each at a time of its own, and what a client makes of it. Pure. */
import { z } from 'zod'

const Draining = z.object({ reconnectInMs: z.number().min(0).max(300_000) })

/** As the client package: who leaves a little before its time has no time without a connection. */
const LEAVE_SHARE = 0.9

/** @returns undefined where it does not say when */
export function leaveInMs(payload: unknown): number | undefined {
  const { data } = Draining.safeParse(payload)
  return data === undefined ? undefined : LEAVE_SHARE * data.reconnectInMs
}
