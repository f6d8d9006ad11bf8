/** Limits of the relay. */
import { type SharedLinkLimits, sharedLinkLimits } from '../../wire/link-limits.ts'

export interface RelayLimits extends SharedLinkLimits {
  /** A connection that has not sent a valid hello by then is closed. */
  helloTimeoutMs: number
  maxConnections: number
  maxTopicsPerWorker: number
  /** After a worker has exited, how long its last frames are read. They are in the socket already. */
  drainMs: number
}

const MIB = 1024 * 1024

export const relayLimits: RelayLimits = {
  ...sharedLinkLimits,
  hardBytes: 48 * MIB,
  // A publication that was accepted arrives whole: `hardBytes` and the longest body together.
  restBytes: 80 * MIB,
  closeBytes: 96 * MIB,
  helloTimeoutMs: 5_000,
  maxConnections: 512,
  maxTopicsPerWorker: 250_000,
  drainMs: 250,
}
