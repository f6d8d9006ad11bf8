/** The worker's end of the link to its primary. */
export { linkLimits } from './limits.ts'
export { Link } from './link.ts'
export { RetryQueue } from './retry-queue.ts'
