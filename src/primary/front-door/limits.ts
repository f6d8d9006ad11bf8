/**
 * Fits the limits of the front door to the limit of file descriptors. At that limit the system refuses every
 * new connection, `/healthz` too, without a response. So the front door stays below it and refuses with a
 * proper response.
 */
interface HeldConnections {
  pendingHeads: number
  queueLength: number
  /** Connections forwarded to other hosts, two descriptors each; 0 on a host that works alone. */
  forwards: number
}

/** For the log, the link, the workers' channels, the admin listener, and connections in flight to workers. */
const KEPT_SHARE = 0.25
/** Share of the rest. As many connections may linger after a response as heads may be incomplete. */
const HEADS_SHARE = 0.25
const QUEUE_SHARE = 0.5
/** With other hosts, the queue shares its part with forwarded connections. */
const SHARED_QUEUE_SHARE = 0.25
const FORWARDS_SHARE = 0.125

/** Below that a warning is logged. */
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
