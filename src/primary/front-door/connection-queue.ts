/**
 * Connections with a complete request head that wait for a worker. The queue is bounded in length and in
 * time. A connection leaves it when the worker that the balancer chooses has room. The queue neither reads
 * connections nor writes responses.
 *
 * Order: first connections returned by a dead worker. Then each worker takes in turn a request of its own
 * sessions and one without a session of its own; of the latter, in turn, a handshake and another request. A
 * polling session opens a connection for each request: if own sessions always went first, clients could not
 * reconnect to a busy host; if they went last, a connection storm would end them. A handshake waits up to
 * `patienceMs` for the least loaded worker even if another has room. That spreads a burst evenly, and a
 * blocked worker delays a handshake no longer than that. A handshake with a key waits for the worker in its place, and holds up
 * none with another place.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import type { Destination } from '../../core/destination.ts'
import type { TokenBucket } from '../../core/token-bucket.ts'
import type { ConnectionOrigin } from '../forward/index.ts'
import type { Balancer } from './balancer.ts'
import { HandOff, type HandOffTarget, type TakenReport } from './hand-off.ts'
import type { FrontMetrics } from './metrics.ts'

export interface QueuedConnection {
  readonly socket: Socket
  readonly bytes: Buffer
  /** How many of them a worker had read. */
  readonly handedBackBytes?: number
  readonly method: string
  readonly destination: Destination
  /** The place of the worker that must get it: a handshake with a key. */
  readonly slot?: number | undefined
  readonly since: number
  /** Set if the connection came through another host or a proxy that says whose it is. */
  readonly origin?: ConnectionOrigin | undefined
}

export type RefusalReason = 'no_worker' | 'queue_full' | 'queue_timeout'

export interface ConnectionQueueOptions {
  queueLength: number
  queueTimeoutMs: number
  inFlightPerWorker: number
  patienceMs: number
  flightTimeoutMs: number
  balancer: Balancer
  admission: TokenBucket
  metrics: () => FrontMetrics
  now: () => number
  onRefused(connection: QueuedConnection, reason: RefusalReason): void
  /**
   * A worker did not take a connection, which was closed. At most as often per flight timeout as connections
   * may be in flight.
   */
  onLost(worker: string): void
}

export class ConnectionQueue {
  readonly #options: ConnectionQueueOptions
  readonly #handOffs = new Map<string, HandOff<QueuedConnection>>()
  readonly #waiting: DeadlineSet<QueuedConnection>
  readonly #returned = new Set<QueuedConnection>()
  readonly #handshakes = new Set<QueuedConnection>()
  readonly #plain = new Set<QueuedConnection>()
  /** Handshakes with a key, by the place of their worker. */
  readonly #keyed = new Map<number, Set<QueuedConnection>>()
  readonly #byOwner = new Map<string, Set<QueuedConnection>>()
  /** Workers whose last connection was for one of their own sessions: another request is next. */
  readonly #servedOwn = new Set<string>()
  #wake: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: ConnectionQueueOptions) {
    this.#options = options
    this.#waiting = new DeadlineSet({
      limitMs: options.queueTimeoutMs,
      now: options.now,
      onOverdue: (connection) => {
        this.#leaveLane(connection)
        options.onRefused(connection, 'queue_timeout')
      },
    })
  }

  get size(): number {
    return this.#waiting.size
  }

  add(connection: QueuedConnection): void {
    const owner = this.#owner(connection)
    if (owner === undefined && !this.#options.balancer.hasReady())
      this.#options.onRefused(connection, 'no_worker')
    else if (this.#waiting.size >= this.#options.queueLength)
      this.#options.onRefused(connection, 'queue_full')
    else {
      this.#waiting.add(connection)
      this.#lane(connection, owner).add(connection)
      this.#pump()
    }
  }

  addWorker(target: HandOffTarget): void {
    const { flightTimeoutMs, now, metrics } = this.#options
    const handOff = new HandOff<QueuedConnection>(target, {
      flightTimeoutMs,
      now,
      onTaken: (connection) => this.#taken(connection),
      onReturned: (connection) => this.#return(connection),
      onLost: () => {
        metrics().lost.inc()
        this.#options.onLost(target.name)
        this.#pump()
      },
    })
    this.#handOffs.set(target.name, handOff)
    this.#byOwner.set(target.name, new Set())
    this.#options.balancer.add(target.name, target.tag, target.slot)
    this.#pump()
  }

  /**
   * The worker has exited. Connections that waited for it go to any other worker, where their session is
   * unknown.
   */
  removeWorker(name: string): void {
    const handOff = this.#handOffs.get(name)
    if (handOff === undefined) return
    this.#options.balancer.remove(name)
    for (const connection of this.#byOwner.get(name) ?? []) this.#plain.add(connection)
    this.#byOwner.delete(name)
    this.#servedOwn.delete(name)
    handOff.abandon(() => this.#handOffs.delete(name))
    this.#pump()
  }

  taken(name: string, report: TakenReport): void {
    this.#handOffs.get(name)?.taken(report)
    this.#pump()
  }

  /** Closes all connections that wait or are in flight. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#wake)
    for (const connection of this.#waiting.clear()) connection.socket.destroy()
    for (const handOff of this.#handOffs.values()) handOff.destroy()
  }

  #owner({ destination }: QueuedConnection): string | undefined {
    return destination.tag === null ? undefined : this.#options.balancer.owner(destination.tag)
  }

  #lane(connection: QueuedConnection, owner: string | undefined): Set<QueuedConnection> {
    const owned = owner === undefined ? undefined : this.#byOwner.get(owner)
    if (connection.slot !== undefined) return this.#keyedLane(connection.slot)
    return owned ?? (connection.destination.kind === 'handshake' ? this.#handshakes : this.#plain)
  }

  #keyedLane(slot: number): Set<QueuedConnection> {
    const lane = this.#keyed.get(slot) ?? new Set()
    this.#keyed.set(slot, lane)
    return lane
  }

  #leaveLane(connection: QueuedConnection): void {
    const lanes = [...this.#keyed.values(), ...this.#byOwner.values()]
    for (const lane of [this.#returned, this.#handshakes, this.#plain, ...lanes]) lane.delete(connection)
  }

  #taken(connection: QueuedConnection): void {
    const metrics = this.#options.metrics()
    metrics.handedOver.inc({ kind: connection.destination.kind })
    metrics.waits.observe(Math.max(0, this.#options.now() - connection.since) / 1000)
    const { bytes, handedBackBytes = 0, origin } = connection
    const read = bytes.length - handedBackBytes + (origin?.preambleBytes ?? 0)
    metrics.swallowed.inc(Math.max(0, connection.socket.bytesRead - read))
  }

  #return(connection: QueuedConnection): void {
    if (this.#isClosed) {
      connection.socket.destroy()
      return
    }
    this.#options.metrics().returned.inc()
    this.#waiting.add(connection)
    // One that waits for its own worker must not hold up the others.
    const lane = connection.slot === undefined ? this.#returned : this.#keyedLane(connection.slot)
    lane.add(connection)
    this.#pump()
  }

  #pump(): void {
    while (this.#sendFirst(this.#returned, (connection) => this.#placeReturned(connection)));
    while (this.#sendOwn((name) => !this.#servedOwn.has(name)) || this.#sendOther() || this.#sendOwn());
    this.#armWake()
  }

  /**
   * Sends one request to each worker that has room and owns a waiting session. @returns whether any was sent
   */
  #sendOwn(isAsked: (name: string) => boolean = () => true): boolean {
    let hasSent = false
    for (const [name, lane] of this.#byOwner) {
      if (!isAsked(name) || !this.#sendFirst(lane, () => (this.#hasRoom(name) ? name : undefined))) continue
      this.#servedOwn.add(name)
      hasSent = true
    }
    return hasSent
  }

  #sendOther(): boolean {
    const handshake = this.#sendFirst(this.#handshakes, (connection) => this.#placeHandshake(connection))
    const plain = this.#sendFirst(this.#plain, () => this.#placePlain())
    let keyed = false
    for (const [slot, lane] of this.#keyed)
      keyed = this.#sendFirst(lane, () => this.#placeKeyed(slot)) || keyed
    return handshake || plain || keyed
  }

  /** @returns whether the first connection of the lane was removed */
  #sendFirst(
    lane: Set<QueuedConnection>,
    place: (connection: QueuedConnection) => string | undefined,
  ): boolean {
    const [connection] = lane
    if (connection === undefined) return false
    const name = connection.socket.destroyed ? undefined : place(connection)
    if (name === undefined && !connection.socket.destroyed) return false
    lane.delete(connection)
    this.#waiting.delete(connection)
    if (name === undefined) return true
    this.#servedOwn.delete(name)
    this.#handOffs.get(name)?.send(connection)
    return true
  }

  #placeReturned(connection: QueuedConnection): string | undefined {
    const owner = this.#owner(connection)
    if (owner !== undefined) return this.#hasRoom(owner) ? owner : undefined
    const { balancer, now } = this.#options
    const name = balancer.forPlain((candidate) => this.#isFree(candidate))
    const request = connection.destination.kind === 'handshake' ? 'handshake' : 'plain'
    if (name !== undefined) balancer.assigned(name, request, now())
    return name
  }

  #placePlain(): string | undefined {
    const { balancer, now } = this.#options
    const name = balancer.forPlain((candidate) => this.#isFree(candidate))
    if (name !== undefined) balancer.assigned(name, 'plain', now())
    return name
  }

  #placeHandshake(connection: QueuedConnection): string | undefined {
    const { balancer, admission, patienceMs } = this.#options
    const now = this.#options.now()
    balancer.age(now)
    const hasPatience = now - connection.since < patienceMs
    const name = balancer.forHandshake((candidate) =>
      hasPatience ? this.#keepsTaking(candidate) : this.#isFree(candidate),
    )
    if (name === undefined || !this.#hasRoom(name) || !admission.take(now)) return undefined
    balancer.assigned(name, 'handshake', now)
    return name
  }

  #placeKeyed(slot: number): string | undefined {
    const { balancer, admission } = this.#options
    const now = this.#options.now()
    const name = balancer.ofSlot(slot)
    if (name === undefined || !this.#isFree(name) || !admission.take(now)) return undefined
    balancer.assigned(name, 'handshake', now)
    return name
  }

  #hasRoom(name: string): boolean {
    const handOff = this.#handOffs.get(name)
    return handOff?.isOpen === true && handOff.inFlight < this.#options.inFlightPerWorker
  }

  /** A worker that has not taken a connection within `patienceMs` is blocked and gets no new ones. */
  #keepsTaking(name: string): boolean {
    const handOff = this.#handOffs.get(name)
    if (handOff?.isOpen !== true) return false
    const sentAt = handOff.oldestSentAt
    return sentAt === undefined || this.#options.now() - sentAt < this.#options.patienceMs
  }

  #isFree(name: string): boolean {
    return this.#hasRoom(name) && this.#keepsTaking(name)
  }

  /**
   * Handshakes may continue when a token is available or `patienceMs` is over. No event signals that, so a
   * timer is needed.
   */
  #armWake(): void {
    const isWaiting = [this.#handshakes, ...this.#keyed.values()].some(({ size }) => size > 0)
    if (!isWaiting || this.#wake !== undefined || this.#isClosed) return
    const { admission, now, patienceMs } = this.#options
    const waitMs = admission.waitMs(now())
    this.#wake = setTimeout(
      () => {
        this.#wake = undefined
        this.#pump()
      },
      waitMs > 0 ? waitMs : patienceMs / 4,
    )
  }
}
