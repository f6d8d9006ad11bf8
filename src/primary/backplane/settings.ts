/** The bounds of the backplane through Redis. */
import { HEARTBEAT_INTERVAL_MS, HOST_TIMEOUT_MS } from '../../wire/host-timeouts.ts'

export interface BackplaneSettings {
  /** A host says so often that it is there. */
  beatMs: number
  /** A host that has said nothing for so long is gone. */
  silentMs: number
  /** A host that has not heard itself for so long is deaf. */
  deafMs: number
  /** After so long without Redis, or deaf, nobody waits for other hosts. */
  isolatedMs: number
  /** After so long without hearing, the other hosts are gone for this one. */
  lostMs: number
  /** How long the hosts that are there are waited for at the start. */
  expectedHostsMs: number
  /** What could not be subscribed to is tried again after so long. */
  retryMs: number
  /** How long the answer to "who are you" counts, and how soon it is asked again. */
  whoValidMs: number
  whoAgainMs: number
  maxHosts: number
  maxBytesInFlight: number
  /** Past so many bytes on their way volatile messages are dropped. */
  softBytesInFlight: number
  /** How long the last words of this host are waited for. */
  closeMs: number
}

const MIB = 1024 * 1024

export const backplaneSettings: BackplaneSettings = {
  beatMs: HEARTBEAT_INTERVAL_MS,
  silentMs: HOST_TIMEOUT_MS,
  deafMs: 6_000,
  isolatedMs: 2_000,
  lostMs: 60_000,
  expectedHostsMs: 2_000,
  retryMs: 1_000,
  whoValidMs: 10_000,
  whoAgainMs: 1_000,
  maxHosts: 256,
  maxBytesInFlight: 32 * MIB,
  softBytesInFlight: 4 * MIB,
  closeMs: 500,
}
