/** Limits of the link between a worker and the primary that are the same at both ends. */
import type { OutboxLimits } from '../core/outbox.ts'

export interface SharedLinkLimits extends OutboxLimits {
  /** Longest frame on the link. */
  maxFrameBytes: number
  /** Longest body of a publication. */
  maxMessageBytes: number
  /** A longer body is sent in parts of this length. */
  partBytes: number
  /** Open requests in each direction. At the worker also: as many publications that wait for a receipt. */
  maxOpenCalls: number
  requestTimeoutMs: number
}

const MIB = 1024 * 1024

export const sharedLinkLimits = {
  softBytes: 4 * MIB,
  maxFrameBytes: 16 * MIB,
  maxMessageBytes: 32 * MIB,
  partBytes: MIB,
  maxOpenCalls: 16_384,
  requestTimeoutMs: 5_000,
}
