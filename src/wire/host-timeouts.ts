/**
 * When a host that says nothing any more counts as gone, and how much longer its answers are waited for: who has died is told
 * from who is slow before a question's time is up.
 */

/** A host says so often that it is there; as often it is looked for those that have not. */
export const HEARTBEAT_INTERVAL_MS = 2_000
/** A host that has said nothing for so long is gone. */
export const HOST_TIMEOUT_MS = 10_000

const NOTICED_MS = HOST_TIMEOUT_MS + HEARTBEAT_INTERVAL_MS
const MARGIN_MS = 3_000

/** Servers on several hosts have so long for an answer, when the caller does not say. */
export const CLUSTER_ANSWER_TIMEOUT_MS = NOTICED_MS + MARGIN_MS
/** So long other hosts have to say whom they have asked: past the answer's time, as nobody may take fewer for all. */
export const CLUSTER_RECEIPT_TIMEOUT_MS = CLUSTER_ANSWER_TIMEOUT_MS + MARGIN_MS
