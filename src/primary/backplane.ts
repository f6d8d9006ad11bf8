/**
 * The backplane: what joins the hosts of a cluster, as the relay and presence see it. One implementation goes through
 * Redis; a host on its own has one that never hears anything.
 *
 * Hosts are known by their tag (`core/session-id.ts`), which is drawn at each start of a primary and never used again.
 * From one host, all that it publishes and sends arrives at another in the order of the calls, each once or never; what
 * may have been lost is told by `onHearing`. After the word that a host is gone nothing of it comes, until it is announced
 * again.
 */
import type { HostMessage } from '../wire/host-messages.ts'

export interface HostInfo {
  /** Its tag. */
  host: string
  /** Its name, for people. */
  name: string
  /** Where its front door takes connections from other hosts: `address:port`. */
  forwardTo: string | undefined
}

export interface Backplane {
  /** This host's own tag. */
  readonly self: string
  /** The other hosts that are there. */
  hosts(): readonly HostInfo[]
  /**
   * This host wants what is published to `topic`. Counted. Resolves when Redis has confirmed it, rejects with `unavailable`
   * when that takes too long; the topic stays wanted all the same, and is subscribed as soon as can be.
   */
  subscribe(topic: string): Promise<void>
  unsubscribe(topic: string): void
  /**
   * To each other host that wants any of the topics, once; `'all'`: to every other host.
   * @returns false when it has been dropped: Redis is away, or does not keep up
   */
  publish(topics: readonly string[] | 'all', message: HostMessage): boolean
  /** To one host. @returns false when it has been dropped */
  send(host: string, message: HostMessage): boolean
  onMessage(listener: (message: HostMessage, from: string) => void): void
  /** A host has come, or is gone: by its own word, or because it has been silent for too long. */
  onHost(listener: (change: { type: 'joined' | 'gone'; host: HostInfo }) => void): void
  /**
   * Whether this host hears the others, proven by messages of its own. After a time without (`null` again) everything that
   * is kept of other hosts may be out of date and has to be asked for anew.
   */
  onHearing(listener: (reason: string | null) => void): void
  close(): Promise<void>
}

/** A host on its own. */
export function soloBackplane(self: string): Backplane {
  return {
    self,
    hosts: () => [],
    subscribe: () => Promise.resolve(),
    unsubscribe: () => undefined,
    publish: () => true,
    send: () => false,
    onMessage: () => undefined,
    onHost: () => undefined,
    onHearing: (listener) => listener(null),
    close: () => Promise.resolve(),
  }
}
