/**
 * Subscriptions of a host to sharded channels (`SSUBSCRIBE`): one connection per host (in Redis Cluster one
 * per master).
 *
 * Subscriptions are counted: as many `unsubscribe` calls end one. A subscription survives its connection:
 * after a loss it is made again, and `onRestored` reports that messages may have been missed.
 */
export interface Subscriptions {
  /**
   * Resolves when Redis has confirmed it: all later publications are received. While Redis is away it waits
   * up to `timeoutMs` of the host's settings, then rejects with `unavailable` and removes the subscription.
   */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>
  unsubscribe(channel: string, handler: ChannelHandler): void
  /**
   * Channels that may have missed messages: the connection (or the slot's node) was lost, and the
   * subscription was just confirmed again. Called after the confirmation: whatever a read of the store misses
   * now is still received.
   */
  onRestored(listener: (channels: readonly string[]) => void): void
  /** Replaces the subscriber connection: it seems to be up, but nothing arrives. */
  renew(reason: string): void
  /**
   * Calls back with the current state and at each change: `null` if all channels are subscribed, else the
   * reason.
   */
  onHealth(listener: (reason: string | null) => void): void
}

/** Must not throw. An error is counted and logged; other handlers still get the message. */
export type ChannelHandler = (message: Buffer, channel: string) => void
