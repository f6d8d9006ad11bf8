/**
 * The backplane: what joins the hosts of a cluster, as the relay and presence see it. One implementation goes through
 * Redis; a host on its own has one that never hears anything.
 *
 * Hosts are known by their tag (`core/session-id.ts`), which is drawn at each start of a primary and never used again.
 * From one host, all that it publishes and sends arrives at another in the order of the calls, each once or never; what
 * may have been lost is told by `onGap`. After the word that a host is gone nothing of it comes, until it is announced
 * again.
 */
import type { HostMessage } from '../../wire/host-messages.ts'

export interface HostInfo {
  /** Its tag. */
  host: string
  /** Its name, for people. */
  name: string
  /** Where its front door takes connections from other hosts: `address:port`. */
  forwardTo: string | undefined
}

export interface HostChange {
  type: 'joined' | 'gone'
  host: HostInfo
}

export interface Backplane {
  /** This host's own tag. */
  readonly self: string
  /** The other hosts that are there. */
  hosts(): readonly HostInfo[]
  /**
   * This host wants what is published to `topic`. Counted. Resolves when Redis has confirmed it, however long that takes,
   * or when it is not wanted any more; `undefined` when there is nothing to wait for.
   */
  subscribe(topic: string): Promise<void> | undefined
  unsubscribe(topic: string): void
  /**
   * To each other host that wants any of the topics, once; `'all'`: to every other host.
   * @returns false when it has been dropped: Redis is away, or does not keep up
   */
  publish(topics: readonly string[] | 'all', message: HostMessage): boolean
  /** To one host. @returns false when it has been dropped */
  send(host: string, message: HostMessage): boolean
  /**
   * Resolves when the hosts that are there are known, and all that this host has published to all of them up to now has
   * gone round: each other host gets it before whatever is said from then on, and what they had published before it has
   * been heard here. While Redis is away it waits; `undefined` when there is nothing to wait for.
   */
  synced(): Promise<void> | undefined
  /** Whether Redis has been away, or this host deaf, for so long that nobody should wait for other hosts. */
  readonly isolated: boolean
  onMessage(listener: (message: HostMessage, from: string) => void): void
  /** A host has come, or is gone: by its own word, or because it has been silent for too long. */
  onHost(listener: (change: HostChange) => void): void
  /** Something that this host said may have been lost here: what is kept of it has to be asked for anew. */
  onGap(listener: (host: string) => void): void
  /**
   * Whether this host hears the others, proven by messages of its own: `null`, or why not. Told how it stands now, and at
   * each change. When it hears again there is a gap for every host.
   */
  onHearing(listener: (reason: string | null) => void): void
  close(): Promise<void>
}

/** A host on its own. */
export function singleHostBackplane(self: string): Backplane {
  return {
    self,
    isolated: false,
    hosts: () => [],
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    publish: () => true,
    send: () => false,
    synced: () => undefined,
    onMessage: () => undefined,
    onHost: () => undefined,
    onGap: () => undefined,
    onHearing: (listener) => listener(null),
    close: () => Promise.resolve(),
  }
}
