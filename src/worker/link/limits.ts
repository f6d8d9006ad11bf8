/** Limits of the worker's end of the link. */
import { type SharedLinkLimits, sharedLinkLimits } from '../../wire/link-limits.ts'

export interface LinkLimits extends SharedLinkLimits {
  welcomeTimeoutMs: number
  /** How long `close` waits until the last bytes are sent. */
  closeTimeoutMs: number
}

const MIB = 1024 * 1024

export const linkLimits: LinkLimits = {
  ...sharedLinkLimits,
  hardBytes: 16 * MIB,
  welcomeTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
}
