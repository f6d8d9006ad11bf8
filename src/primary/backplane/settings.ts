/** Settings of the backplane through Redis. */
import { HEARTBEAT_INTERVAL_MS, HOST_TIMEOUT_MS } from '../../wire/host-timeouts.ts'

export interface BackplaneSettings {
  /** Interval of heartbeats. */
  beatMs: number
  /** A host without a message for this long is gone. */
  silentMs: number
  /** A host counts as deaf (receives nothing) if none of its own messages came back for this long. */
  echoTimeoutMs: number
  /** After this long without Redis, or deaf, callers do not wait for other hosts. */
  isolatedMs: number
  /** After this long without receiving anything, this host drops all others. */
  lostMs: number
  /** How long the start waits for the live hosts. */
  expectedHostsMs: number
  /** Retry delay of failed subscriptions. */
  retryMs: number
  /** How long a challenge may be answered, and when it is sent again. */
  challengeValidMs: number
  challengeAgainMs: number
  maxHosts: number
  maxBytesInFlight: number
  /** Volatile messages are dropped beyond this many bytes in flight. */
  softBytesInFlight: number
  /** How long `close` waits until the goodbye is sent. */
  closeMs: number
}

const MIB = 1024 * 1024

export const backplaneSettings: BackplaneSettings = {
  beatMs: HEARTBEAT_INTERVAL_MS,
  silentMs: HOST_TIMEOUT_MS,
  echoTimeoutMs: 6_000,
  isolatedMs: 2_000,
  lostMs: 60_000,
  expectedHostsMs: 2_000,
  retryMs: 1_000,
  challengeValidMs: 10_000,
  challengeAgainMs: 1_000,
  maxHosts: 256,
  maxBytesInFlight: 32 * MIB,
  softBytesInFlight: 4 * MIB,
  closeMs: 500,
}
