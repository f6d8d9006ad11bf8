/**
 * The relay between hosts: publishes messages of local workers, delivers messages of remote workers, and
 * collects receipts. Groups are in group-sync.ts. The name of a remote worker is `<host tag>:<worker>`. Local
 * delivery never waits for anything here.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import type { Publish } from '../../wire/frames.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import { CLUSTER_RECEIPT_TIMEOUT_MS } from '../../wire/host-timeouts.ts'
import type { Backplane, HostChange } from '../backplane/index.ts'
import { GroupSync } from './group-sync.ts'
import type { HostsMetrics } from './host-relay-metrics.ts'
import { hostsMetrics } from './host-relay-metrics.ts'
import type { RoomInterests } from './host-subscriptions.ts'
import { HostSubscriptions } from './host-subscriptions.ts'
import { RelayReceipts } from './receipts.ts'
import { RecentGrants } from './recent-grants.ts'
import type { PartMessage, PublicationMessage } from './remote-parts.ts'
import { IncomingParts, OutgoingParts } from './remote-parts.ts'
import { RemoteWorkers, remoteName } from './remote-workers.ts'

const LOG_MS = 5_000

export interface HostsTimings {
  /** How long a subscription is waited for. After that it counts as confirmed. */
  confirmMs: number
  /** An unused topic is kept for up to twice this time. */
  idleMs: number
  /** Messages to a granted topic go to all hosts for this long. */
  grantMs: number
  /** How long the receipts of other hosts are waited for. */
  receiptMs: number
  /** An unanswered request for groups is repeated after this time. */
  askAgainMs: number
  /** A publication of which no part has come for this long, up to twice as long, is abandoned. */
  partIdleMs: number
}

const hostsTimings: HostsTimings = {
  confirmMs: 2_000,
  idleMs: 1_000,
  grantMs: 5_000,
  receiptMs: CLUSTER_RECEIPT_TIMEOUT_MS,
  askAgainMs: 500,
  partIdleMs: 10_000,
}

/** A part of a publication that was passed on. */
export interface Delivered {
  /** Bytes that are still to come. */
  rest: number
  /** The workers that the publication is addressed to. */
  addressed: readonly string[]
}

/** The part of the router that serves other hosts. */
export interface LocalRouter {
  /** @returns the workers that it is addressed to */
  deliver(from: string, publication: Omit<Publish, 'ref'>): string[]
  /** The next bytes of a publication. @returns `undefined` if none is open */
  deliverPart(from: string, body: Buffer): Delivered | undefined
  /** The rest of a publication does not come. */
  abandon(from: string): void
  /** @returns false if there is no such worker */
  deliverTo(worker: string, from: string, body: Buffer): boolean
  receipt(worker: string, ref: number, reached: readonly string[]): void
  enter(worker: string, topic: string): void
  leave(worker: string, topic: string): void
  peerGone(worker: string): void
  /** Groups of this host with their local members. */
  ownGroups(): { topic: string; workers: string[] }[]
}

export interface HostRelayOptions {
  backplane: Backplane
  local: LocalRouter
  rooms: RoomInterests | undefined
  logger: Logger
  registry: Registry
  timings?: Partial<HostsTimings> | undefined
}

export class HostRelay {
  readonly #backplane: Backplane
  readonly #local: LocalRouter
  readonly #logger: Logger
  readonly #metrics: HostsMetrics
  readonly #timings: HostsTimings
  readonly #subscriptions: HostSubscriptions
  readonly #grants: RecentGrants
  readonly #receipts: RelayReceipts
  readonly #groupSync: GroupSync
  readonly #outgoing = new OutgoingParts()
  readonly #incoming: IncomingParts
  readonly #remoteWorkers = new RemoteWorkers()
  readonly #throttle = new LogThrottle(LOG_MS)

  constructor({ backplane, local, rooms, logger, registry, timings }: HostRelayOptions) {
    this.#backplane = backplane
    this.#local = local
    this.#logger = logger
    this.#timings = { ...hostsTimings, ...timings }
    const { confirmMs, idleMs, grantMs, receiptMs, askAgainMs, partIdleMs } = this.#timings
    const unconfirmed = (topic: string) => this.#unconfirmed(topic)
    this.#subscriptions = new HostSubscriptions({ backplane, rooms, confirmMs, idleMs, unconfirmed })
    this.#grants = new RecentGrants(grantMs)
    this.#receipts = new RelayReceipts(receiptMs, (worker, ref, reached) =>
      local.receipt(worker, ref, reached),
    )
    const name = (host: string, worker: string) => this.#remoteWorkers.name(host, worker)
    this.#groupSync = new GroupSync({ backplane, local, name, askAgainMs })
    this.#incoming = new IncomingParts({
      idleMs: partIdleMs,
      abandoned: (worker) => {
        this.#metrics.abandoned.inc()
        local.abandon(worker)
      },
    })
    this.#metrics = hostsMetrics(registry, {
      receipts: () => this.#receipts.size,
      memberships: () => this.#groupSync.size,
      refused: () => this.#groupSync.refused,
      pending: () => this.#subscriptions.pending,
      grants: () => this.#grants.size,
    })
    backplane.onMessage((message, from) => this.#receive(message, from))
    backplane.onHost((change) => this.#hostChanged(change))
    backplane.onGap((host) => {
      this.#incoming.abandonHost(host)
      this.#groupSync.markStale(host)
    })
    backplane.onSubscriptionHealth((reason) => {
      if (reason !== null) this.#receipts.completeAll()
    })
  }

  want(topic: string): void {
    this.#subscriptions.want(topic)
  }

  release(topic: string): void {
    this.#subscriptions.release(topic)
  }

  /**
   * Resolves when a worker will receive the topic, and, for a group, knows its members; or after a time
   * limit. `undefined` if there is nothing to wait for. Never rejects.
   */
  confirmed(topic: string, group: boolean): Promise<void> | undefined {
    const confirmed = this.#subscriptions.confirmed(topic)
    const synced = group ? this.#membersKnown(topic) : undefined
    if (synced === undefined) return confirmed
    return Promise.all([confirmed, synced]).then(() => undefined)
  }

  /** Messages to these topics, which the other hosts know of as well, go to all hosts for a while. */
  noteGrants(grants: readonly string[]): void {
    this.#grants.note(grants, performance.now())
  }

  /**
   * Called after local delivery.
   * @param addressed the local workers that it is addressed to
   * @returns false if it was dropped
   */
  publish(from: string, { ref, rest, ...publication }: Publish, addressed: readonly string[]): boolean {
    const { topics, grants, body, volatile } = publication
    const nowMs = performance.now()
    const target = ref !== 0 || this.#grants.covers(topics, nowMs) ? 'all' : topics
    this.#grants.note(grants, nowMs)
    const part = rest === 0 ? undefined : { id: this.#outgoing.nextId(), rest }
    const message: HostMessage = {
      type: 'publication',
      from,
      topics: [...topics],
      grants: [...grants],
      body,
      ...(ref === 0 ? {} : { ref }),
      ...(volatile ? { volatile } : {}),
      ...(part === undefined ? {} : { part }),
    }
    const sent = this.#backplane.publish(target, message)
    const hosts = ref === 0 ? [] : this.#hostNames()
    if (part !== undefined)
      this.#outgoing.begin(from, { id: part.id, at: body.length, target, ref, hosts, sent })
    else this.#openReceipt(from, { ref, addressed, sent, hosts })
    return sent
  }

  /** The next bytes of the worker's publication. Called after local delivery. @returns false if it was dropped */
  part(from: string, body: Buffer, { rest, addressed }: Delivered): boolean {
    const open = this.#outgoing.get(from)
    if (open === undefined) return false
    const { id, at, target, ref } = open
    if (open.sent) open.sent = this.#backplane.publish(target, { type: 'part', from, id, at, body })
    open.at += body.length
    if (rest > 0) return open.sent
    this.#outgoing.end(from)
    const present = this.#hostNames()
    const hosts = open.hosts.filter((host) => present.includes(host))
    this.#openReceipt(from, { ref, addressed, sent: open.sent, hosts })
    return open.sent
  }

  /** @param to `<host tag>:<worker>`. @returns false if there is no such host */
  send(from: string, to: string, body: Buffer): boolean {
    const at = to.indexOf(':')
    const message: HostMessage = { type: 'send', from, to: to.slice(at + 1), body }
    return this.#backplane.send(to.slice(0, at), message)
  }

  groupChanged(topic: string, worker: string, joined: boolean): void {
    this.#groupSync.changed(topic, worker, joined)
  }

  workerGone(worker: string): void {
    this.#receipts.forget(worker)
    this.#outgoing.end(worker)
    this.#backplane.publish('all', { type: 'workerGone', worker })
  }

  close(): void {
    this.#subscriptions.close()
    this.#receipts.close()
    this.#incoming.close()
    this.#groupSync.close()
  }

  #receive(message: HostMessage, host: string): void {
    switch (message.type) {
      case 'publication':
        return this.#deliver(message, host)
      case 'part':
        return this.#deliverPart(message, host)
      case 'send':
        return this.#deliverTo(message, host)
      case 'receipt':
        return this.#receipts.received(
          host,
          { worker: message.to, ref: message.ref },
          message.workers.map((worker) => this.#remoteWorkers.name(host, worker)),
        )
      case 'group':
      case 'groups':
      case 'groups?':
        return this.#groupSync.receive(message, host)
      case 'workerGone':
        this.#incoming.abandon(remoteName(host, message.worker))
        this.#groupSync.dropWorker(host, message.worker)
        this.#remoteWorkers.forget(host, message.worker)
        return this.#local.peerGone(remoteName(host, message.worker))
      default:
        // Presence messages are handled in presence/.
        return undefined
    }
  }

  #hostNames(): string[] {
    return this.#backplane.hosts().map(({ host }) => host)
  }

  #openReceipt(
    worker: string,
    publication: { ref: number; addressed: readonly string[]; sent: boolean; hosts: readonly string[] },
  ): void {
    const { ref, addressed, sent, hosts } = publication
    if (ref === 0) return
    this.#receipts.open({
      worker,
      ref,
      reached: addressed,
      hosts: sent && !this.#backplane.isolated ? hosts : [],
    })
  }

  #deliver(message: PublicationMessage, host: string): void {
    const { from, topics, grants, volatile = false, part, ref } = message
    const worker = this.#remoteWorkers.name(host, from)
    this.#grants.note(grants, performance.now())
    if (!this.#incoming.begin(worker, host, message)) return this.#metrics.abandoned.inc()
    const publication = { topics, grants, volatile, body: bytesOf(message.body), rest: part?.rest ?? 0 }
    const workers = this.#local.deliver(worker, publication)
    if (part === undefined) this.#sendReceipt(host, { to: from, ref, workers })
  }

  #deliverPart(message: PartMessage, host: string): void {
    const { from, body } = message
    const worker = this.#remoteWorkers.name(host, from)
    const open = this.#incoming.part(worker, message)
    if (open === undefined) return
    const delivered = this.#local.deliverPart(worker, bytesOf(body))
    if (open.rest === 0)
      this.#sendReceipt(host, { to: from, ref: open.ref, workers: [...(delivered?.addressed ?? [])] })
  }

  #sendReceipt(
    host: string,
    { to, ref, workers }: { to: string; ref: number | undefined; workers: string[] },
  ): void {
    if (ref !== undefined) this.#backplane.send(host, { type: 'receipt', to, ref, workers })
  }

  #deliverTo({ from, to, body }: HostMessage & { type: 'send' }, host: string): void {
    if (!this.#local.deliverTo(to, this.#remoteWorkers.name(host, from), bytesOf(body)))
      this.#metrics.unroutable.inc()
  }

  #hostChanged({ type, host: { host } }: HostChange): void {
    if (type === 'joined') return this.#groupSync.hostJoined(host)
    this.#receipts.skipHost(host)
    this.#incoming.abandonHost(host)
    const workers = this.#groupSync.dropHost(host)
    for (const worker of this.#remoteWorkers.forgetHost(host)) workers.add(worker)
    for (const worker of workers) this.#local.peerGone(remoteName(host, worker))
    return undefined
  }

  /** Waits also until this host's own change has passed through Redis, so that other hosts know about it. */
  #membersKnown(topic: string): Promise<void> | undefined {
    const synced = this.#backplane.synced()
    if (synced === undefined) return undefined
    if (this.#backplane.isolated) {
      this.#unconfirmed(topic)
      return undefined
    }
    const known = synced.then(() => this.#groupSync.synced())
    return withTimeout(this.#timings.confirmMs, known, () => this.#unconfirmed(topic))
  }

  #unconfirmed(topic: string): void {
    this.#metrics.unconfirmed.inc()
    this.#throttle.run((heldBack) =>
      this.#logger.warn(
        { topic, heldBack },
        'a subscription was confirmed to a worker before Redis confirmed it: it receives messages of this host only for now',
      ),
    )
  }
}

function bytesOf(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
