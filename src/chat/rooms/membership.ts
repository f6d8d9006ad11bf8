/** One connection in one room of this worker. */
import type { Member } from './room-feed.ts'
import type { FeedHandle } from './room-feeds.ts'

export interface Membership {
  readonly room: string
  readonly member: Member
  readonly feedHandle: FeedHandle
  /** The id under which presence counts it, from `enter` to `leave`. */
  readonly presenceSessionId: string
  state: 'new' | 'entering' | 'entered'
}
