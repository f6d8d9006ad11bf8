/**
 * The Socket.IO adapter of a worker: Socket.IO's server API across all workers and hosts, over the link. It
 * extends Socket.IO's cluster adapter with another transport and keeps that adapter's behaviour. It adds:
 *
 * - Order. Sockets of this worker are written to before a call returns. So `io.emit(a); socket.emit(b)`
 *   arrives in this order, and an emit before a leave or a disconnect is not lost. Messages to other workers
 *   leave in the order of the calls. What can't be sent to them is still done here, then the call throws.
 * - Interest. Only workers with members of a room get its messages. `await socket.join(room)` resolves when
 *   the subscription is confirmed.
 * - The death of a worker is known at once: no request waits for its response.
 * - A closed namespace leaves no listeners behind.
 *
 * The primary decides which workers are alive, not the adapter.
 */
import { NodeClusterAdapter } from '@socket.io/cluster-adapter'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Namespace, Socket } from 'socket.io'
import type { BroadcastOptions, ClusterMessage, ClusterResponse } from 'socket.io-adapter'
import { Adapter, MessageType } from 'socket.io-adapter'
import type { Packet } from 'socket.io-parser'
import { namespaceTopic } from '../../wire/topics.ts'
import type { EncodedPackets } from '../connections/index.ts'
import { decodePackets, deliver } from '../connections/index.ts'
import type { Link } from '../link/index.ts'
import type { AnswerLimits, Answers } from './answers.ts'
import { type Brief, briefSockets, withIds, withRooms } from './brief-sockets.ts'
import {
  ackTimeoutMs,
  boundedMs,
  flagsOf,
  isForNobodyElsewhere,
  optionsOf,
  plainOptions,
  roomsElsewhere,
} from './broadcast-options.ts'
import { ClientAcks } from './client-acks.ts'
import type { BroadcastBody } from './codec.ts'
import { encodeBroadcast } from './codec.ts'
import { AdapterInterest } from './interest.ts'
import type { AdapterRequest, AdapterResponse, FetchedSocket } from './messages.ts'
import { AdapterMessenger } from './messenger.ts'
import type { AdapterMetrics } from './metrics.ts'
import { adapterMetrics } from './metrics.ts'
import type { ResponsesListener } from './pending-requests.ts'
import { incompleteError } from './pending-requests.ts'
import { AdapterRouter } from './router.ts'
import type { EmitServerSide } from './server-side-events.ts'
import { ServerSideEvents } from './server-side-events.ts'

/** Deadline of a request when the caller names none: as in the base class. */
const ANSWER_TIMEOUT_MS = 5_000
/** Rooms in one message: another host refuses a longer list of topics. */
const ROOMS_JOINED_AT_ONCE = 1_024

export interface LinkAdapterOptions {
  logger: Logger
  registry: Registry
  /** Deadline of a request to other servers when the caller names none. */
  answerTimeoutMs?: number
  /** This worker's tag, when the ids of its sockets carry it. */
  tag?: string
  answerLimits?: Partial<AnswerLimits>
  /** Calls the application's listeners of a server-side event. Unset: as in Socket.IO. */
  emitServerSide?: EmitServerSide
  /** A listener that the application added to an adapter threw an error. Unset: whoever joins or leaves gets it. */
  onListenerError?: (error: unknown, event: string) => void
}

interface Shared {
  link: Link
  router: AdapterRouter
  answers: Answers
  logger: Logger
  metrics: AdapterMetrics
  answerTimeoutMs: number
  tag: string | undefined
  emitServerSide: EmitServerSide | undefined
  onListenerError: ((error: unknown, event: string) => void) | undefined
}

/** For `io.adapter(…)`. Makes one adapter per namespace, all on one link. */
export function createLinkAdapter(link: Link, options: LinkAdapterOptions): (nsp: Namespace) => LinkAdapter {
  const { logger, registry, answerTimeoutMs = ANSWER_TIMEOUT_MS, tag } = options
  const router = new AdapterRouter(link, logger, options.answerLimits)
  const metrics = adapterMetrics(registry, {
    namespaces: () => router.size,
    openRequests: () => router.openRequests,
    heldBytes: () => router.answers.heldBytes,
  })
  router.useMetrics(metrics)
  const { emitServerSide, onListenerError } = options
  const own = { logger, metrics, answerTimeoutMs, tag, emitServerSide, onListenerError }
  const shared = { link, router, answers: router.answers, ...own }
  // Not an arrow function: Socket.IO calls it with `new`.
  return function adapterOf(nsp: Namespace) {
    return new LinkAdapter(nsp, shared)
  }
}

export class LinkAdapter extends NodeClusterAdapter {
  readonly #shared: Shared
  readonly #link: Link
  readonly #interest: AdapterInterest
  readonly #messenger: AdapterMessenger
  readonly #serverSideEvents: ServerSideEvents
  readonly #clientAcks: ClientAcks
  /** All servers of the namespace subscribe to it. */
  readonly #topic: string
  readonly #entered: Promise<void>
  #known = false
  #closed = false

  constructor(nsp: Namespace, shared: Shared) {
    const listeners = process.listenerCount('message')
    super(nsp)
    dropIpcListener(listeners)
    // The base class's timer checks heartbeats. There are none: the primary announces which workers are
    // there.
    clearInterval(this['cleanupTimer'])
    this.#shared = shared
    this.#link = shared.link
    this.#topic = namespaceTopic(nsp.name)
    this.#interest = new AdapterInterest(shared.link, nsp.name, shared.tag)
    this.#messenger = new AdapterMessenger({ ...shared, nsp: nsp.name })
    this.#serverSideEvents = new ServerSideEvents({
      ...shared,
      nsp,
      topic: this.#topic,
      messenger: this.#messenger,
    })
    this.#clientAcks = new ClientAcks(nsp)
    this.on('create-room', (room: unknown) => this.#interest.add(room))
    this.on('delete-room', (room: unknown) => this.#interest.remove(room))
    shared.router.add(nsp.name, this)
    this.#entered = this.#enter()
  }

  /** Called by the base class's constructor and by the namespace. The constructor above does all the work. */
  override init(): void {}

  get openRequests(): number {
    return this.#messenger.openRequests + this.#clientAcks.size
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#shared.router.remove(this.nsp.name, this)
    // Rooms first: when others hear that this server left, it must not be in a room any more.
    this.#interest.close()
    this.#link.unsubscribe(this.#topic)
    this.#serverSideEvents.close()
    this.#messenger.close()
    this.#clientAcks.close()
    this['nodesMap'].clear()
  }

  /**
   * Resolves when the host is subscribed to the rooms, to the socket's own room and to the namespace. Need
   * not be awaited.
   */
  override addAll(id: string, rooms: Set<string>): Promise<void> {
    if (this.sids.size === 0) this.#interest.addEveryone()
    void super.addAll(id, rooms)
    const confirmed = this.#interest.confirmed([id, ...rooms])
    confirmed.catch((error: unknown) =>
      this.#shared.logger.error(
        { err: error, nsp: this.nsp.name },
        'a socket joined a room, but the host could not subscribe to it',
      ),
    )
    return confirmed
  }

  /** Socket.IO emits in the middle of a join or a leave: what a listener throws must not end them halfway. */
  override emit(event: string, ...args: unknown[]): boolean {
    try {
      return super.emit(event, ...args)
    } catch (error) {
      const { onListenerError } = this.#shared
      if (onListenerError === undefined) throw error
      onListenerError(error, event)
      return true
    }
  }

  override delAll(id: string): void {
    super.delAll(id)
    if (this.sids.size === 0) this.#interest.removeEveryone()
  }

  /** Waits, on the first call, until the primary has listed the other servers. */
  override async serverCount(): Promise<number> {
    if (!this.#known) await this.#entered
    return super.serverCount()
  }

  override broadcast(packet: Packet, opts: BroadcastOptions): Promise<void> {
    packet.nsp = this.nsp.name
    const packets = this.#encode(packet)
    const flags = flagsOf(opts)
    try {
      if (this.#reachesOthers(opts)) {
        const body = this.#broadcastBody(opts, packets)
        this.#link.publish(this.#interest.topicsOf(opts.rooms), body, { volatile: flags.volatile })
        this.#shared.metrics.sent.inc()
      }
    } finally {
      deliver({ packets, flags, packet: () => packet }, (callback) => this.#apply(opts, callback))
    }
    return Promise.resolve()
  }

  override broadcastWithAck(
    packet: Packet,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (value: unknown) => void,
  ): void {
    // The caller waits for one count per server. All other servers report 0. The last report, with the sum,
    // comes when only clients of this server have still to acknowledge.
    const servers = this.serverCount()
    let ownClients = 0
    const onComplete = (clients: number) => {
      void servers.then((count) => {
        for (let other = 1; other < count; other += 1) clientCountCallback(0)
        clientCountCallback(ownClients + clients)
      })
    }
    packet.nsp = this.nsp.name
    try {
      if (this.#reachesOthers(opts)) this.#broadcastToOthers(packet, opts, { ack, onComplete })
      else onComplete(0)
    } finally {
      Adapter.prototype.broadcastWithAck.call(this, packet, opts, (count) => (ownClients = count), ack)
    }
  }

  override addSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    try {
      const shared = roomsElsewhere(rooms)
      for (let from = 0; from < shared.length; from += ROOMS_JOINED_AT_ONCE) {
        const some = shared.slice(from, from + ROOMS_JOINED_AT_ONCE)
        // Publications from now on also reach the workers that are about to subscribe to these rooms.
        const grants = this.#interest.memberTopics(some)
        this.#notify(MessageType.SOCKETS_JOIN, opts, { data: { rooms: some }, grants })
      }
    } finally {
      Adapter.prototype.addSockets.call(this, opts, rooms)
    }
    return Promise.resolve()
  }

  override delSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    try {
      const shared = roomsElsewhere(rooms)
      if (shared.length > 0) this.#notify(MessageType.SOCKETS_LEAVE, opts, { data: { rooms: shared } })
    } finally {
      Adapter.prototype.delSockets.call(this, opts, rooms)
    }
    return Promise.resolve()
  }

  override disconnectSockets(opts: BroadcastOptions, close: unknown): Promise<void> {
    // Applications pass anything.
    const isClosing = Boolean(close)
    try {
      this.#notify(MessageType.DISCONNECT_SOCKETS, opts, { data: { close: isClosing } })
    } finally {
      Adapter.prototype.disconnectSockets.call(this, opts, isClosing)
    }
    return Promise.resolve()
  }

  /**
   * Without sockets of servers that are gone. Rejects when a server that is there can't answer, or not by the
   * deadline: the error's `missing` names those servers, its `responses` are the sockets that are known.
   */
  override async fetchSockets(opts: BroadcastOptions): Promise<unknown[]> {
    const own: Promise<unknown[]> = Adapter.prototype.fetchSockets.call(this, opts)
    return this.#withOthers(opts, own, { join: (some, others) => [...some, ...others] })
  }

  /** For `io.allSockets()`: ids of the sockets in these rooms (none: of all), on all servers. Rejects as `fetchSockets`. */
  override async sockets(rooms: Set<string>): Promise<Set<string>> {
    const opts = { rooms, except: new Set<string>() }
    return this.#withOthers(opts, Adapter.prototype.sockets.call(this, rooms), { only: 'ids', join: withIds })
  }

  /** Rooms that have members on any server, as in the Redis adapter. Rejects as `fetchSockets`. */
  async allRooms(): Promise<Set<string>> {
    const opts = { rooms: new Set<string>(), except: new Set<string>() }
    const own = Promise.resolve(new Set(this.rooms.keys()))
    return this.#withOthers(opts, own, { only: 'rooms', join: withRooms })
  }

  /**
   * When the arguments have no structured clone it throws, or passes the error to the callback if there is
   * one.
   */
  override serverSideEmit(packet: unknown[]): Promise<void> {
    this.#serverSideEvents.send(packet)
    return Promise.resolve()
  }

  /** Called by the router. */
  onBroadcast(body: BroadcastBody, from: string): void {
    this.#shared.metrics.received.inc()
    if (body.ackRequest !== undefined) return this.#broadcastToOwnClients(body, body.ackRequest, from)
    const { packets, flags } = body
    deliver({ packets, flags, packet: () => decodePackets(this.nsp.server, packets) }, (callback) =>
      this.#apply(optionsOf(body), callback),
    )
  }

  /** Called by the router. */
  onServerResponse(message: AdapterResponse, from: string): void {
    this.#messenger.onResponse(message, from)
  }

  /** Called by the router for every worker: one that never entered the group may still have got a request. */
  onPeerGone(worker: string): void {
    this.#messenger.peerLeft(worker)
  }

  /** Called by the router. The base class makes the response and passes it to `doPublishResponse`. */
  onServerRequest(message: AdapterRequest, from: string): void {
    if (message.type === MessageType.BROADCAST) return this.#broadcastFromOutside(message.data)
    const requestId = 'requestId' in message.data ? message.data.requestId : undefined
    if (message.type === MessageType.SERVER_SIDE_EMIT) {
      this.#serverSideEvents.received(message.data.packet, from, requestId)
      return
    }
    if (message.type === MessageType.FETCH_SOCKETS && message.data.only !== undefined) {
      this.#respondBriefly(message.data, message.data.only, from)
      return
    }
    this.#reportingFailure(from, requestId, () =>
      super.onMessage({ ...message, uid: from, nsp: this.nsp.name } as ClusterMessage),
    )
  }

  /** No worker has encoded it: each does so with the parser of its application. */
  #broadcastFromOutside({ opts, packet }: OutsideBroadcast): void {
    this.#shared.metrics.received.inc()
    const own = { ...packet, nsp: this.nsp.name }
    const flags = { volatile: opts.flags?.volatile === true, compress: opts.flags?.compress }
    const options = optionsOf({ ...opts, flags })
    deliver({ packets: this.#encode(own), flags, packet: () => own }, (callback) =>
      this.#apply(options, callback),
    )
  }

  /** The base class would add heartbeats. */
  override publish(message: Parameters<NodeClusterAdapter['publish']>[0]): void {
    this.#messenger.notify([this.#topic], message)
  }

  protected override doPublish(message: ClusterMessage): Promise<string> {
    this.#messenger.notify([this.#topic], message)
    return Promise.resolve('')
  }

  protected override doPublishResponse(requester: string, { type, data }: ClusterResponse): Promise<void> {
    const answer = type === MessageType.FETCH_SOCKETS_RESPONSE ? withSharedRooms(data) : data
    this.#messenger.respond(requester, type, answer)
    return Promise.resolve()
  }

  async #enter(): Promise<void> {
    const nodes: Map<string, number> = this['nodesMap']
    try {
      await this.#link.enterGroup(this.#topic, {
        joined: (worker) => nodes.set(worker, Number.POSITIVE_INFINITY),
        left: (worker) => {
          nodes.delete(worker)
          this.#messenger.peerLeft(worker)
        },
      })
    } catch (error) {
      this.#shared.logger.error(
        { err: error, nsp: this.nsp.name },
        'this namespace works without the other workers: its group could not be entered',
      )
    }
    this.#known = true
  }

  async #withOthers<T>(
    opts: BroadcastOptions,
    own: Promise<T>,
    { only, join }: { only?: Brief; join: (own: T, others: FetchedSocket[]) => T },
  ): Promise<T> {
    if (!this.#reachesOthers(opts)) return own
    const recipients = {
      topics: this.#interest.topicsOf(opts.rooms),
      timeoutMs: boundedMs(opts.flags?.timeout ?? this.#shared.answerTimeoutMs),
    }
    const data = { opts: plainOptions(opts), ...(only === undefined ? {} : { only }) }
    const others = new Promise<Parameters<ResponsesListener>>((resolve) => {
      this.#messenger.request({ type: MessageType.FETCH_SOCKETS, data }, recipients, (...outcome) =>
        resolve(outcome),
      )
    })
    const [some, [responses, error]] = await Promise.all([own, others])
    const found = join(some, responses.values.flat() as FetchedSocket[])
    const failure = error ?? incompleteError(responses)
    if (failure !== undefined) throw Object.assign(failure, { responses: found })
    return found
  }

  #respondBriefly(
    { opts, requestId }: { opts: { rooms: readonly unknown[] }; requestId: string },
    only: Brief,
    from: string,
  ): void {
    this.#reportingFailure(from, requestId, () => {
      const ids: string[] = []
      const rooms = new Set(opts.rooms as readonly string[])
      this.#apply({ rooms }, ({ id }) => ids.push(id))
      const sockets = briefSockets(only, { rooms: this.rooms, ids })
      this.#messenger.respond(from, MessageType.FETCH_SOCKETS_RESPONSE, { requestId, sockets })
    })
  }

  #reachesOthers(opts: BroadcastOptions): boolean {
    return !this.#closed && opts.flags?.local !== true && !isForNobodyElsewhere(opts)
  }

  #apply(opts: BroadcastOptions, callback: (socket: Socket) => void): void {
    this['apply'](opts, callback)
  }

  #encode(packet: Packet): EncodedPackets {
    return this.nsp.server.encoder.encode(packet)
  }

  #broadcastBody(
    opts: BroadcastOptions,
    packets: EncodedPackets,
    ackRequest?: BroadcastBody['ackRequest'],
  ): Buffer {
    const { rooms, except } = plainOptions(opts)
    return encodeBroadcast({ nsp: this.nsp.name, rooms, except, flags: flagsOf(opts), ackRequest, packets })
  }

  #notify(
    type: MessageType,
    opts: BroadcastOptions,
    { data, grants }: { data: object; grants?: string[] },
  ): void {
    if (!this.#reachesOthers(opts)) return
    const notice = { type, data: { opts: plainOptions(opts), ...data } }
    this.#messenger.notify(this.#interest.topicsOf(opts.rooms), notice, grants)
  }

  #broadcastToOthers(
    packet: Packet,
    opts: BroadcastOptions,
    callbacks: { ack: (value: unknown) => void; onComplete: (clients: number) => void },
  ): void {
    const packets = this.#encode(packet)
    const timeoutMs = ackTimeoutMs(opts)
    this.#messenger.broadcastWithAck({
      ...callbacks,
      topics: this.#interest.topicsOf(opts.rooms),
      timeoutMs,
      body: (id) => this.#broadcastBody(opts, packets, { id, timeoutMs }),
    })
  }

  #broadcastToOwnClients(
    body: BroadcastBody,
    { id, timeoutMs }: { id: string; timeoutMs: number },
    from: string,
  ): void {
    // Decoded and encoded again: the packet id must be one of this server.
    const packet = decodePackets(this.nsp.server, body.packets)
    const counted = (clientCount: number) => {
      this.#clientAcks.expect(packet.id ?? 0, clientCount, timeoutMs)
      this.#messenger.respond(from, MessageType.BROADCAST_CLIENT_COUNT, { requestId: id, clientCount })
    }
    const acked = (value: unknown) => {
      this.#clientAcks.received(packet.id ?? 0)
      this.#messenger.respond(from, MessageType.BROADCAST_ACK, { requestId: id, packet: value })
    }
    this.#reportingFailure(from, id, () =>
      Adapter.prototype.broadcastWithAck.call(this, packet, optionsOf(body), counted, acked),
    )
  }

  /**
   * When a listener of the application throws, the other worker gets a failure instead of waiting for a
   * response.
   */
  #reportingFailure(from: string, requestId: string | undefined, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (requestId !== undefined) this.#messenger.respondFailure(from, requestId, error)
      throw error
    }
  }
}

type OutsideBroadcast = Extract<AdapterRequest, { type: MessageType.BROADCAST }>['data']

/**
 * The base class adds a listener to Node's IPC channel and never removes it. This adapter does not use the
 * channel.
 */
function dropIpcListener(listenersBefore: number): void {
  const listeners = process.listeners('message')
  const own = listeners.at(-1)
  if (listeners.length > listenersBefore && own !== undefined) process.removeListener('message', own)
}

type FetchedSockets = Extract<ClusterResponse, { type: MessageType.FETCH_SOCKETS_RESPONSE }>['data']

/** The other worker refuses an answer with a room that none but this worker can have. */
function withSharedRooms(data: FetchedSockets): FetchedSockets {
  const sockets = data.sockets as { rooms: unknown[] }[]
  return { ...data, sockets: sockets.map((socket) => ({ ...socket, rooms: roomsElsewhere(socket.rooms) })) }
}
