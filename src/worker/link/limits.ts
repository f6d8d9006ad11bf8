/** Limits of the worker's end of the link. */
import { type SharedLinkLimits, sharedLinkLimits } from '../../wire/link-limits.ts'

export interface LinkLimits extends SharedLinkLimits {
  /** Bodies that arrive in parts: bytes of all that are incomplete at a time. */
  incompleteBytes: number
  welcomeTimeoutMs: number
  /** How long `close` waits until the last bytes are sent. */
  closeTimeoutMs: number
}

const MIB = 1024 * 1024

export const linkLimits: LinkLimits = {
  ...sharedLinkLimits,
  // More than the longest body, so that what is published in the same turn is not dropped behind it.
  hardBytes: 48 * MIB,
  // All parts of a body are queued at once: up to `hardBytes` and the longest body together.
  restBytes: 80 * MIB,
  closeBytes: 96 * MIB,
  incompleteBytes: 128 * MIB,
  welcomeTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
}
