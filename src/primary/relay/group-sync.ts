/**
 * Who is in which group on other hosts: tells them what changes here, takes what they tell, and asks anew whoever may have been
 * missed, until it has told everything.
 */
import type { HostMessage } from '../../wire/host-messages.ts'
import type { Backplane } from '../backplane/index.ts'
import type { GroupsChange } from './remote-groups.ts'
import { RemoteGroups } from './remote-groups.ts'
import { remoteName } from './remote-workers.ts'

export interface GroupSyncOptions {
  backplane: Backplane
  local: {
    /** @param worker by the name that it has on a link */
    enter(worker: string, topic: string): void
    leave(worker: string, topic: string): void
    /** Groups that workers of this host are in, and these. */
    ownGroups(): { topic: string; workers: string[] }[]
  }
  /** The name on a link, which is remembered. */
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

  /** Memberships that were not taken in, because there were too many. */
  get refused(): number {
    return this.#groups.refused
  }

  /** A worker of this host has entered or left. */
  changed(topic: string, worker: string, joined: boolean): void {
    this.#version += 1
    this.#options.backplane.publish('all', { type: 'group', topic, worker, joined, version: this.#version })
  }

  /** What `host` says of groups. */
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

  /** Something that it told may have been missed. */
  markStale(host: string): void {
    this.#groups.markStale(host)
    if (this.#requestTimer === undefined) this.#requestGroups()
  }

  dropWorker(host: string, worker: string): void {
    this.#groups.dropWorker(host, worker)
  }

  /** @returns the workers that were in any group */
  dropHost(host: string): Set<string> {
    const workers = this.#groups.dropHost(host)
    this.#wake()
    return workers
  }

  /** Resolves when every host has told everything. */
  async synced(): Promise<void> {
    while (this.#groups.stale().length > 0)
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve)
      })
  }

  /** Nobody waits any more. */
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

  /** Those that owe their groups, now and again until they have told them. */
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
