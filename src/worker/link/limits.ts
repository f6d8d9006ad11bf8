/** Limits of the worker's end of the link. */
import type { OutboxLimits } from '../../core/outbox.ts'

export interface LinkLimits extends OutboxLimits {
  /** Longest frame that may be sent. */
  maxFrameBytes: number
  /** Open requests, and as many publications with a receipt, that may wait for the primary. */
  maxOpenCalls: number
  requestTimeoutMs: number
  welcomeTimeoutMs: number
  /** How long `close` waits until the last bytes are sent. */
  closeTimeoutMs: number
}

const MIB = 1024 * 1024

export const linkLimits: LinkLimits = {
  softBytes: 4 * MIB,
  hardBytes: 16 * MIB,
  closeBytes: 64 * MIB,
  maxFrameBytes: 16 * MIB,
  maxOpenCalls: 16_384,
  requestTimeoutMs: 5_000,
  welcomeTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
}
