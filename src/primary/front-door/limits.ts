/**
 * What of the front door's limits fits under the limit of file descriptors. At that limit the system refuses every new
 * connection, `/healthz` too, and says nothing: so the front door stays below it and refuses by itself, in its own way.
 */
interface HeldConnections {
  pendingHeads: number
  queueLength: number
  /** Connections that pass through to other hosts, two descriptors each; 0 on a host on its own. */
  forwards: number
}

/** For the log, the link, the workers' channels, the admin listener, and connections on their way to workers. */
const KEPT_SHARE = 0.25
/** Of what is left. As many connections as heads linger over an answer. */
const HEADS_SHARE = 0.25
const QUEUE_SHARE = 0.5
/** With other hosts the queue shares with the connections that pass through to them. */
const SHARED_QUEUE_SHARE = 0.25
const FORWARDS_SHARE = 0.125

/** Below that a host of more than a toy's size runs short. */
export const FEW_DESCRIPTORS = 4_096

export function fitToDescriptors<L extends HeldConnections>(limits: L, descriptors: number | undefined): L {
  if (descriptors === undefined) return limits
  const free = descriptors * (1 - KEPT_SHARE)
  const share = (wanted: number, part: number) => Math.max(1, Math.min(wanted, Math.floor(free * part)))
  return {
    ...limits,
    pendingHeads: share(limits.pendingHeads, HEADS_SHARE),
    queueLength: share(limits.queueLength, limits.forwards > 0 ? SHARED_QUEUE_SHARE : QUEUE_SHARE),
    forwards: limits.forwards > 0 ? share(limits.forwards, FORWARDS_SHARE) : 0,
  }
}
