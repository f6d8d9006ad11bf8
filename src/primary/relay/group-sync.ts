/**
 * Synchronizes group membership between hosts. Publishes changes of this host, applies changes of others, and
 * requests a snapshot from each host whose changes may have been missed, until it has sent one.
 */
import type { HostMessage } from '../../wire/host-messages.ts'
import type { Backplane } from '../backplane/index.ts'
import type { GroupsChange } from './remote-groups.ts'
import { RemoteGroups } from './remote-groups.ts'
import { remoteName } from './remote-workers.ts'

export interface GroupSyncOptions {
  backplane: Backplane
  local: {
    /** @param worker name on a link */
    enter(worker: string, topic: string): void
    leave(worker: string, topic: string): void
    /** Groups of this host with their local members. */
    ownGroups(): { topic: string; workers: string[] }[]
  }
  /** Remembers the worker. @returns its name on a link */
  name: (host: string, worker: string) => string
  askAgainMs: number
}

export class GroupSync {
  readonly #options: GroupSyncOptions
  readonly #groups = new RemoteGroups()
  #waiters: (() => void)[] = []
  #requestTimer: NodeJS.Timeout | undefined
  #version = 0

  constructor(options: GroupSyncOptions) {
    this.#options = options
    for (const { host } of options.backplane.hosts()) this.#groups.open(host)
    this.#requestGroups()
  }

  get size(): number {
    return this.#groups.size
  }

  /** Memberships that were refused because there were too many. */
  get refused(): number {
    return this.#groups.refused
  }

  /** A worker of this host has joined or left a group. */
  changed(topic: string, worker: string, joined: boolean): void {
    this.#version += 1
    this.#options.backplane.publish('all', { type: 'group', topic, worker, joined, version: this.#version })
  }

  /** Handles a group message of `host`. */
  receive(message: HostMessage & { type: 'group' | 'groups' | 'groups?' }, host: string): void {
    if (message.type === 'groups?') return this.#sendGroups(host)
    if (message.type === 'groups')
      return this.#apply(host, this.#groups.replace(host, message.version, message.groups))
    const change = this.#groups.change(host, message)
    return change === 'stale' ? this.markStale(host) : this.#apply(host, change)
  }

  hostJoined(host: string): void {
    this.#groups.open(host)
    this.markStale(host)
  }

  /** Changes of `host` may have been missed. */
  markStale(host: string): void {
    this.#groups.markStale(host)
    if (this.#requestTimer === undefined) this.#requestGroups()
  }

  dropWorker(host: string, worker: string): void {
    this.#groups.dropWorker(host, worker)
  }

  /** @returns the workers that were in a group */
  dropHost(host: string): Set<string> {
    const workers = this.#groups.dropHost(host)
    this.#wake()
    return workers
  }

  /** Resolves when no host is stale. */
  async synced(): Promise<void> {
    while (this.#groups.stale().length > 0)
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve)
      })
  }

  /** Resolves everything that still waits. */
  close(): void {
    clearTimeout(this.#requestTimer)
    this.#wake()
  }

  #apply(host: string, change: GroupsChange | undefined): void {
    const { local, name } = this.#options
    for (const { topic, worker } of change?.left ?? []) local.leave(remoteName(host, worker), topic)
    for (const { topic, worker } of change?.entered ?? []) local.enter(name(host, worker), topic)
    this.#wake()
  }

  /** Requests the groups of stale hosts, repeatedly until they have been sent. */
  #requestGroups(): void {
    const { backplane, askAgainMs } = this.#options
    this.#requestTimer = undefined
    const stale = this.#groups.stale()
    for (const host of stale) backplane.send(host, { type: 'groups?' })
    if (stale.length > 0) this.#requestTimer = setTimeout(() => this.#requestGroups(), askAgainMs)
  }

  #sendGroups(host: string): void {
    const { backplane, local } = this.#options
    backplane.send(host, { type: 'groups', version: this.#version, groups: local.ownGroups() })
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}
