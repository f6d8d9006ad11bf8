/**
 * The backplane connects the hosts of a cluster, for the relay and for presence. One implementation uses
 * Redis. The implementation for a single host never receives anything.
 *
 * A host is identified by its tag (`core/session-id.ts`). Each start of a primary draws a new tag; tags are
 * never reused. Messages of one host arrive at another in the order of the calls, each once or not at all.
 * `onGap` reports a possible loss. After a host was reported gone, none of its messages arrive until it joins
 * again.
 */
import type { HostMessage, HostStatus } from '../../wire/host-messages.ts'

export interface HostInfo {
  /** Host tag. */
  host: string
  /** Name for people. */
  name: string
  /** Where the host accepts forwarded connections from other hosts: `address:port`. */
  forwardTo: string | undefined
}

export interface HostReport {
  /** Name for people. */
  name: string
  /** What the host said of itself with its last heartbeat; undefined if it has said nothing yet. */
  status: HostStatus | undefined
  /** Milliseconds since it said so. */
  ageMs: number
}

export interface HostChange {
  type: 'joined' | 'gone'
  host: HostInfo
}

export interface Backplane {
  /** Tag of this host. */
  readonly self: string
  /** The other live hosts. */
  hosts(): readonly HostInfo[]
  /** The same hosts, with what each has told of itself. */
  reports(): readonly HostReport[]
  /**
   * Subscribes to `topic`. Calls are counted. Resolves when Redis has confirmed the subscription, without a
   * time limit, or when it has ended; `undefined` if there is nothing to wait for.
   */
  subscribe(topic: string): Promise<void> | undefined
  unsubscribe(topic: string): void
  /**
   * Publishes once to each other host that subscribes to any of the topics; `'all'`: to every other host.
   * @returns false if the message was dropped because Redis is away or too slow
   */
  publish(topics: readonly string[] | 'all', message: HostMessage): boolean
  /** Sends to one host. @returns false if the message was dropped */
  send(host: string, message: HostMessage): boolean
  /**
   * Resolves when the live hosts are known and everything that this host has published to `'all'` until now
   * has passed through Redis. Other hosts receive it before any later message, and this host has received
   * what they published before it. Waits while Redis is away; `undefined` if there is nothing to wait for.
   */
  synced(): Promise<void> | undefined
  /**
   * True if Redis has been away, or this host deaf, for so long that callers should not wait for other hosts.
   */
  readonly isolated: boolean
  onMessage(listener: (message: HostMessage, from: string) => void): void
  /** A host joined or left. It left if it said so or was silent for too long. */
  onHost(listener: (change: HostChange) => void): void
  /** Messages from `host` may have been lost here. State received from it must be requested again. */
  onGap(listener: (host: string) => void): void
  /**
   * Whether this host receives from the others, proven by its own messages: `null`, or the reason why not.
   * Called with the current state and at each change. After a recovery, `onGap` is called for every host.
   */
  onSubscriptionHealth(listener: (reason: string | null) => void): void
  close(): Promise<void>
}

/** The backplane of a host that works alone. */
export function singleHostBackplane(self: string): Backplane {
  return {
    self,
    isolated: false,
    hosts: () => [],
    reports: () => [],
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    publish: () => true,
    send: () => false,
    synced: () => undefined,
    onMessage: () => undefined,
    onHost: () => undefined,
    onGap: () => undefined,
    onSubscriptionHealth: (listener) => listener(null),
    close: () => Promise.resolve(),
  }
}
