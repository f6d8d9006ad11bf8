/**
 * What a host hears of Redis: sharded channels (`SSUBSCRIBE`), one connection a host (in Redis Cluster one a master).
 *
 * A subscription is counted: as many `unsubscribe` end it. It is kept by intent, not by connection: after any loss it is
 * made again, whatever became of the connection, and who listens is told that messages may have passed meanwhile.
 */
export interface Subscriptions {
  /**
   * Resolves when Redis has confirmed it: what is published from then on is heard. While Redis is away it waits, until
   * `timeoutMs` of the host's settings; then it rejects with `unavailable`, and the intent is withdrawn.
   */
  subscribe(channel: string, handler: ChannelHandler): Promise<void>
  unsubscribe(channel: string, handler: ChannelHandler): void
  /**
   * Channels on which messages may have been missed: the connection (or the slot's node) was lost and the subscription has
   * just been confirmed again. Called after the confirmation, so that a look at the store now misses nothing later.
   */
  onRestored(listener: (channels: readonly string[]) => void): void
  /** Gives up what it hears with for a new connection: nothing comes, although it is up by its own belief. */
  renew(reason: string): void
  /** `null`: all that is meant to be subscribed is. Else why not. Told how it stands now, and at each change. */
  onHealth(listener: (reason: string | null) => void): void
}

/** Must not throw; what it throws is counted and logged, and costs no other listener its message. */
export type ChannelHandler = (message: Buffer, channel: string) => void
