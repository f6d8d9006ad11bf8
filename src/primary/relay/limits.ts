/** The bounds of the relay. */
import type { OutboxLimits } from '../../core/outbox.ts'

export interface RelayLimits extends OutboxLimits {
  /** Longest frame on the link. */
  maxFrameBytes: number
  /** A connection that has not said a valid hello by then is closed. */
  helloTimeoutMs: number
  maxConnections: number
  maxTopicsPerWorker: number
  /** Requests of the primary that wait for a worker's reply, and requests of a worker that are being served. */
  maxOpenCalls: number
  requestTimeoutMs: number
  /** How long the last words of a worker that has exited are waited for. They are in the socket already. */
  drainMs: number
}

const MIB = 1024 * 1024

export const relayLimits: RelayLimits = {
  softBytes: 4 * MIB,
  hardBytes: 32 * MIB,
  closeBytes: 64 * MIB,
  maxFrameBytes: 16 * MIB,
  helloTimeoutMs: 5_000,
  maxConnections: 512,
  maxTopicsPerWorker: 250_000,
  maxOpenCalls: 16_384,
  requestTimeoutMs: 5_000,
  drainMs: 250,
}
