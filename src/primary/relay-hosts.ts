/**
 * The relay's half that looks to other hosts: passes on what workers say here, hands over what workers of other hosts say,
 * gathers receipts, keeps their groups. A worker of another host is known as `<host tag>:<worker>`. Local delivery never
 * waits for anything here.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LogGate } from '../core/log-gate.ts'
import { within } from '../core/within.ts'
import type { Publish } from '../wire/frames.ts'
import type { HostMessage } from '../wire/host-messages.ts'
import { HOSTS_RECEIPT_TIMEOUT_MS } from '../wire/host-silence.ts'
import type { Backplane, HostChange } from './backplane.ts'
import { RelayGrants } from './relay-grants.ts'
import type { GroupsChange } from './relay-host-groups.ts'
import { HostGroups } from './relay-host-groups.ts'
import type { HostsMetrics } from './relay-hosts-metrics.ts'
import { hostsMetrics } from './relay-hosts-metrics.ts'
import { RelayReceipts } from './relay-receipts.ts'
import type { RoomFeeds } from './relay-wanted.ts'
import { RelayWanted } from './relay-wanted.ts'

/** Workers of one host that are remembered, so that its going can be told of each. */
const MAX_SEEN = 1_024
const LOG_MS = 5_000

export interface HostsTimings {
  /** A subscription is waited for no longer than that; then it counts as confirmed. */
  confirmMs: number
  /** A topic that nobody wants any more is kept for up to twice that. */
  idleMs: number
  /** What was granted goes to all hosts for so long. */
  grantMs: number
  /** What other hosts have to say of a question is waited for no longer than that. */
  receiptMs: number
  /** A host that owes its groups is asked again after so long. */
  askAgainMs: number
}

const hostsTimings: HostsTimings = {
  confirmMs: 2_000,
  idleMs: 1_000,
  grantMs: 5_000,
  receiptMs: HOSTS_RECEIPT_TIMEOUT_MS,
  askAgainMs: 500,
}

/** What routing on this host does for the others. */
export interface LocalRouting {
  /** @returns the workers that it has been passed to */
  deliver(from: string, publication: Omit<Publish, 'ref'>): string[]
  /** @returns false when the worker is not there */
  deliverTo(worker: string, from: string, body: Buffer): boolean
  receipt(worker: string, ref: number, reached: readonly string[]): void
  enter(worker: string, topic: string): void
  leave(worker: string, topic: string): void
  peerGone(worker: string): void
  /** Groups that workers of this host are in, and these. */
  ownGroups(): { topic: string; workers: string[] }[]
}

export interface RelayHostsOptions {
  backplane: Backplane
  local: LocalRouting
  rooms: RoomFeeds | undefined
  logger: Logger
  registry: Registry
  timings?: Partial<HostsTimings> | undefined
}

export class RelayHosts {
  readonly #backplane: Backplane
  readonly #local: LocalRouting
  readonly #logger: Logger
  readonly #metrics: HostsMetrics
  readonly #timings: HostsTimings
  readonly #wanted: RelayWanted
  readonly #grants: RelayGrants
  readonly #receipts: RelayReceipts
  readonly #groups = new HostGroups()
  readonly #seen = new Map<string, Set<string>>()
  readonly #gate = new LogGate(LOG_MS)
  #sureWaiters: (() => void)[] = []
  #askTimer: NodeJS.Timeout | undefined
  #version = 0

  constructor({ backplane, local, rooms, logger, registry, timings }: RelayHostsOptions) {
    this.#backplane = backplane
    this.#local = local
    this.#logger = logger
    this.#timings = { ...hostsTimings, ...timings }
    const { confirmMs, idleMs, grantMs, receiptMs } = this.#timings
    const unconfirmed = (topic: string) => this.#unconfirmed(topic)
    this.#wanted = new RelayWanted({ backplane, rooms, confirmMs, idleMs, unconfirmed })
    this.#grants = new RelayGrants(grantMs)
    this.#receipts = new RelayReceipts(receiptMs, (worker, ref, reached) =>
      local.receipt(worker, ref, reached),
    )
    this.#metrics = hostsMetrics(registry, {
      receipts: () => this.#receipts.size,
      memberships: () => this.#groups.size,
      refused: () => this.#groups.refused,
      pending: () => this.#wanted.pending,
      grants: () => this.#grants.size,
    })
    backplane.onMessage((message, from) => this.#take(message, from))
    backplane.onHost((change) => this.#hostChanged(change))
    backplane.onGap((host) => this.#doubt(host))
    backplane.onHearing((reason) => {
      if (reason !== null) this.#receipts.leaveOutAll()
    })
    for (const { host } of backplane.hosts()) this.#groups.open(host)
    this.#ask()
  }

  wanted(topic: string): void {
    this.#wanted.wanted(topic)
  }

  unwanted(topic: string): void {
    this.#wanted.unwanted(topic)
  }

  /**
   * Resolves when a worker may count on hearing the topic (and on knowing who is in it, if it is a group), as far as that
   * can be had within a bounded time; `undefined`: nothing to wait for. Never rejects.
   */
  confirmed(topic: string, group: boolean): Promise<void> | undefined {
    const heard = this.#wanted.confirmed(topic)
    const settled = group ? this.#membersKnown(topic) : undefined
    if (settled === undefined) return heard
    return Promise.all([heard, settled]).then(() => undefined)
  }

  /** Behind what has been passed to workers of this host, `reached`. */
  publish(from: string, { ref, ...publication }: Publish, reached: readonly string[]): void {
    const { topics, grants, body, volatile } = publication
    const nowMs = performance.now()
    const toAll = ref !== 0 || this.#grants.covers(topics, nowMs)
    this.#grants.note(grants, nowMs)
    const message: HostMessage = {
      type: 'publication',
      from,
      topics: [...topics],
      grants: [...grants],
      body,
      ...(ref === 0 ? {} : { ref }),
      ...(volatile ? { volatile } : {}),
    }
    const sent = this.#backplane.publish(toAll ? 'all' : topics, message)
    if (ref === 0) return
    const hosts = sent && !this.#backplane.isolated ? this.#backplane.hosts().map(({ host }) => host) : []
    this.#receipts.open({ worker: from, ref, reached, hosts })
  }

  /** @param to `<host tag>:<worker>`. @returns false when that host is not there */
  send(from: string, to: string, body: Buffer): boolean {
    const at = to.indexOf(':')
    const message: HostMessage = { type: 'send', from, to: to.slice(at + 1), body }
    return this.#backplane.send(to.slice(0, at), message)
  }

  groupChanged(topic: string, worker: string, joined: boolean): void {
    this.#version += 1
    this.#backplane.publish('all', { type: 'group', topic, worker, joined, version: this.#version })
  }

  workerGone(worker: string): void {
    this.#receipts.forget(worker)
    this.#backplane.publish('all', { type: 'workerGone', worker })
  }

  close(): void {
    clearTimeout(this.#askTimer)
    this.#wanted.close()
    this.#receipts.close()
    this.#tellSure()
  }

  #take(message: HostMessage, host: string): void {
    switch (message.type) {
      case 'publication':
        return this.#deliver(message, host)
      case 'send':
        return this.#deliverTo(message, host)
      case 'receipt':
        return this.#receipts.told(
          host,
          { worker: message.to, ref: message.ref },
          message.workers.map((worker) => this.#name(host, worker)),
        )
      case 'group':
        return this.#change(host, this.#groups.change(host, message))
      case 'groups':
        return this.#change(host, this.#groups.replace(host, message.version, message.groups))
      case 'groups?':
        return this.#tellGroups(host)
      case 'workerGone':
        this.#groups.dropWorker(host, message.worker)
        this.#seen.get(host)?.delete(message.worker)
        return this.#local.peerGone(nameOf(host, message.worker))
      default:
        // Presence is not the relay's.
        return undefined
    }
  }

  #deliver(message: HostMessage & { type: 'publication' }, host: string): void {
    const { from, ref, topics, grants, volatile = false } = message
    this.#grants.note(grants, performance.now())
    const publication = { topics, grants, volatile, body: bytesOf(message.body) }
    const workers = this.#local.deliver(this.#name(host, from), publication)
    if (ref !== undefined) this.#backplane.send(host, { type: 'receipt', to: from, ref, workers })
  }

  #deliverTo({ from, to, body }: HostMessage & { type: 'send' }, host: string): void {
    if (!this.#local.deliverTo(to, this.#name(host, from), bytesOf(body))) this.#metrics.unroutable.inc()
  }

  #hostChanged({ type, host: { host } }: HostChange): void {
    if (type === 'joined') {
      this.#groups.open(host)
      return this.#doubt(host)
    }
    this.#receipts.leaveOut(host)
    const workers = this.#groups.dropHost(host)
    for (const worker of this.#seen.get(host) ?? []) workers.add(worker)
    this.#seen.delete(host)
    for (const worker of workers) this.#local.peerGone(nameOf(host, worker))
    this.#tellSure()
    return undefined
  }

  #doubt(host: string): void {
    this.#groups.doubt(host)
    if (this.#askTimer === undefined) this.#ask()
  }

  #change(host: string, change: GroupsChange | 'unsure' | undefined): void {
    if (change === 'unsure') return this.#doubt(host)
    for (const { topic, worker } of change?.left ?? []) this.#local.leave(nameOf(host, worker), topic)
    for (const { topic, worker } of change?.entered ?? []) this.#local.enter(this.#name(host, worker), topic)
    return this.#tellSure()
  }

  /** Those that owe their groups, now and again until they have told them. */
  #ask(): void {
    this.#askTimer = undefined
    const unsure = this.#groups.unsure()
    for (const host of unsure) this.#backplane.send(host, { type: 'groups?' })
    if (unsure.length > 0) this.#askTimer = setTimeout(() => this.#ask(), this.#timings.askAgainMs)
  }

  #tellGroups(host: string): void {
    this.#backplane.send(host, { type: 'groups', version: this.#version, groups: this.#local.ownGroups() })
  }

  /** That this host's own change has gone round too, so that the others count it from now on. */
  #membersKnown(topic: string): Promise<void> | undefined {
    const settled = this.#backplane.settled()
    if (settled === undefined) return undefined
    if (this.#backplane.isolated) {
      this.#unconfirmed(topic)
      return undefined
    }
    const known = settled.then(() => this.#sure())
    return within(this.#timings.confirmMs, known, () => this.#unconfirmed(topic))
  }

  async #sure(): Promise<void> {
    while (this.#groups.unsure().length > 0)
      await new Promise<void>((resolve) => {
        this.#sureWaiters.push(resolve)
      })
  }

  #tellSure(): void {
    const waiters = this.#sureWaiters
    this.#sureWaiters = []
    for (const resolve of waiters) resolve()
  }

  #unconfirmed(topic: string): void {
    this.#metrics.unconfirmed.inc()
    this.#gate.pass((heldBack) =>
      this.#logger.warn(
        { topic, heldBack },
        'a worker was told that it is subscribed though Redis has not confirmed it: it hears this host alone for now',
      ),
    )
  }

  /** The worker's name on a link. It is remembered. */
  #name(host: string, worker: string): string {
    const seen = this.#seen.get(host) ?? new Set<string>()
    this.#seen.set(host, seen)
    if (seen.size < MAX_SEEN) seen.add(worker)
    return nameOf(host, worker)
  }
}

const nameOf = (host: string, worker: string) => `${host}:${worker}`

function bytesOf(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
