/**
 * When a silent host counts as gone, and how long requests wait for other hosts. The second is longer than
 * the first, so that a dead host is removed before a request that waits for it times out.
 */

/** The interval of heartbeats, and of the check for missing ones. */
export const HEARTBEAT_INTERVAL_MS = 2_000
/** A host that has been silent for this long is gone. */
export const HOST_TIMEOUT_MS = 10_000

const DETECTION_MS = HOST_TIMEOUT_MS + HEARTBEAT_INTERVAL_MS
const MARGIN_MS = 3_000

/** The default timeout of a request to servers on several hosts. */
export const CLUSTER_ANSWER_TIMEOUT_MS = DETECTION_MS + MARGIN_MS
/**
 * The timeout of receipts from other hosts. Longer than that of the request, so that a partial list is never
 * taken for the whole.
 */
export const CLUSTER_RECEIPT_TIMEOUT_MS = CLUSTER_ANSWER_TIMEOUT_MS + MARGIN_MS
