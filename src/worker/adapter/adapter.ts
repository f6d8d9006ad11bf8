/**
 * The Socket.IO adapter of a worker: the server API across all workers of the host, over the link. It is the cluster
 * adapter of Socket.IO with another transport, and keeps what that one does. What it adds:
 *
 * - Order. What is for sockets of this worker is written before a call returns, so that `io.emit(a); socket.emit(b)`
 *   arrives in this order, and nothing is lost by leaving or disconnecting after an emit. What is for others leaves in
 *   the order of the calls.
 * - Interest. Only workers with members of a room get what is for it. `await socket.join(room)` is over when that holds.
 * - A worker that dies is missed at once: nobody waits for its answers.
 * - Nothing stays behind when a namespace closes.
 *
 * It does not decide who lives: that is the primary's.
 */
import { NodeClusterAdapter } from '@socket.io/cluster-adapter'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Namespace, Socket } from 'socket.io'
import type { BroadcastOptions, ClusterMessage, ClusterResponse } from 'socket.io-adapter'
import { Adapter, MessageType } from 'socket.io-adapter'
import type { Packet } from 'socket.io-parser'
import { namespaceTopic } from '../../wire/topics.ts'
import type { Link } from '../link/link.ts'
import { ackTimeoutMs, boundedMs, flagsOf, optionsOf, plainOptions } from './broadcast-options.ts'
import { ClientAcks } from './client-acks.ts'
import type { BroadcastBody, RoomKey } from './codec.ts'
import { encodeBroadcast } from './codec.ts'
import { AdapterInterest } from './interest.ts'
import type { EncodedPackets } from './local-delivery.ts'
import { decodePackets, deliver } from './local-delivery.ts'
import type { AdapterAnswer, AdapterQuestion } from './messages.ts'
import { AdapterTalk } from './messenger.ts'
import type { AdapterMetrics } from './metrics.ts'
import { adapterMetrics } from './metrics.ts'
import type { Answers, AnswersListener } from './pending-requests.ts'
import { AdapterRouter } from './router.ts'

/** How long the other servers have for an answer when the caller does not say: as in the base class. */
const ANSWER_TIMEOUT_MS = 5_000
/** In one message: another host takes no longer list of topics. */
const ROOMS_JOINED_AT_ONCE = 1_024

export interface LinkAdapterOptions {
  logger: Logger
  registry: Registry
  /** How long the other servers have for an answer when the caller does not say. */
  answerTimeoutMs?: number
  /** Of this worker, where the ids of its sockets bear it. */
  tag?: string
}

interface Shared {
  link: Link
  router: AdapterRouter
  logger: Logger
  metrics: AdapterMetrics
  answerTimeoutMs: number
  tag: string | undefined
}

type AckCallback = (error: Error | null, responses: unknown[]) => void

/** For `io.adapter(…)`: one adapter a namespace, all on one link. */
export function createLinkAdapter(link: Link, options: LinkAdapterOptions): (nsp: Namespace) => LinkAdapter {
  const { logger, registry, answerTimeoutMs = ANSWER_TIMEOUT_MS, tag } = options
  const router = new AdapterRouter(link, logger)
  const metrics = adapterMetrics(registry, {
    namespaces: () => router.size,
    openQuestions: () => router.openQuestions,
  })
  router.countOn(metrics)
  const shared = { link, router, logger, metrics, answerTimeoutMs, tag }
  // Socket.IO calls it with `new`, which an arrow function does not bear.
  return function adapterOf(nsp: Namespace) {
    return new LinkAdapter(nsp, shared)
  }
}

export class LinkAdapter extends NodeClusterAdapter {
  readonly #shared: Shared
  readonly #link: Link
  readonly #interest: AdapterInterest
  readonly #talk: AdapterTalk
  readonly #clientAcks: ClientAcks
  /** The topic of all servers of the namespace. */
  readonly #topic: string
  readonly #entered: Promise<void>
  #known = false
  #closed = false

  constructor(nsp: Namespace, shared: Shared) {
    const listeners = process.listenerCount('message')
    super(nsp)
    dropIpcListener(listeners)
    // It looks for heartbeats, and there are none: the primary says who is there.
    clearInterval(this['cleanupTimer'])
    this.#shared = shared
    this.#link = shared.link
    this.#topic = namespaceTopic(nsp.name)
    this.#interest = new AdapterInterest(shared.link, nsp.name, shared.tag)
    this.#talk = new AdapterTalk({ ...shared, nsp: nsp.name })
    this.#clientAcks = new ClientAcks(nsp)
    this.on('create-room', (room: RoomKey) => this.#interest.add(room))
    this.on('delete-room', (room: RoomKey) => this.#interest.remove(room))
    shared.router.add(nsp.name, this)
    this.#entered = this.#enter()
  }

  /** Called by the base class's constructor and by the namespace; everything has its place in the constructor here. */
  override init(): void {}

  get openQuestions(): number {
    return this.#talk.openQuestions + this.#clientAcks.size
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#shared.router.remove(this.nsp.name, this)
    // The rooms first: who hears that this server has left must not find it in a room any more.
    this.#interest.close()
    this.#link.unsubscribe(this.#topic)
    this.#talk.close()
    this.#clientAcks.close()
    this['nodesMap'].clear()
  }

  /**
   * Resolves when the host is subscribed to the rooms, to the socket's own, and to what is for everybody. Need not be
   * awaited.
   */
  override addAll(id: string, rooms: Set<string>): Promise<void> {
    if (this.sids.size === 0) this.#interest.addEveryone()
    void super.addAll(id, rooms)
    const confirmed = this.#interest.confirmed([id, ...rooms])
    confirmed.catch((error: unknown) =>
      this.#shared.logger.error(
        { err: error, nsp: this.nsp.name },
        'a room was joined that the host is not subscribed to',
      ),
    )
    return confirmed
  }

  override delAll(id: string): void {
    super.delAll(id)
    if (this.sids.size === 0) this.#interest.removeEveryone()
  }

  /** Right from the start: resolves when the primary has said who is there. */
  override async serverCount(): Promise<number> {
    if (!this.#known) await this.#entered
    return super.serverCount()
  }

  override broadcast(packet: Packet, opts: BroadcastOptions): Promise<void> {
    packet.nsp = this.nsp.name
    const packets = this.#encode(packet)
    const flags = flagsOf(opts)
    if (this.#spreads(opts)) {
      const body = this.#broadcastBody(opts, packets)
      this.#link.publish(this.#interest.topicsOf(opts.rooms), body, { volatile: flags.volatile })
      this.#shared.metrics.sent.inc()
    }
    deliver({ packets, flags, packet: () => packet }, (callback) => this.#apply(opts, callback))
    return Promise.resolve()
  }

  override broadcastWithAck(
    packet: Packet,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (value: unknown) => void,
  ): void {
    // The caller waits for one count a server. All but the last say nothing, and the last comes when nobody owes any
    // acknowledgement but the clients of this server.
    const servers = this.serverCount()
    let ownClients = 0
    const settled = (clients: number) => {
      void servers.then((count) => {
        for (let other = 1; other < count; other += 1) clientCountCallback(0)
        clientCountCallback(ownClients + clients)
      })
    }
    packet.nsp = this.nsp.name
    if (this.#spreads(opts)) this.#askOtherClients(packet, opts, { ack, settled })
    else settled(0)
    Adapter.prototype.broadcastWithAck.call(this, packet, opts, (count) => (ownClients = count), ack)
  }

  override addSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    for (let from = 0; from < rooms.length; from += ROOMS_JOINED_AT_ONCE) {
      const some = rooms.slice(from, from + ROOMS_JOINED_AT_ONCE)
      // What is published to these rooms from now on finds the workers that are just about to subscribe to them.
      const grants = this.#interest.memberTopics(some)
      this.#tell(MessageType.SOCKETS_JOIN, opts, { data: { rooms: some }, grants })
    }
    Adapter.prototype.addSockets.call(this, opts, rooms)
    return Promise.resolve()
  }

  override delSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    this.#tell(MessageType.SOCKETS_LEAVE, opts, { data: { rooms } })
    Adapter.prototype.delSockets.call(this, opts, rooms)
    return Promise.resolve()
  }

  override disconnectSockets(opts: BroadcastOptions, close: boolean): Promise<void> {
    this.#tell(MessageType.DISCONNECT_SOCKETS, opts, { data: { close } })
    Adapter.prototype.disconnectSockets.call(this, opts, close)
    return Promise.resolve()
  }

  /** Without those of servers that are gone. Past the deadline it rejects; the error's `responses` are those that came. */
  override async fetchSockets(opts: BroadcastOptions): Promise<unknown[]> {
    const own = Adapter.prototype.fetchSockets.call(this, opts)
    if (!this.#spreads(opts)) return own
    const asked = {
      topics: this.#interest.topicsOf(opts.rooms),
      timeoutMs: boundedMs(opts.flags?.timeout ?? this.#shared.answerTimeoutMs),
    }
    const others = new Promise<unknown[]>((resolve, reject) => {
      const question = { type: MessageType.FETCH_SOCKETS, data: { opts: plainOptions(opts) } }
      this.#talk.ask(question, asked, (answers, error) => {
        const failure = error ?? lateError(answers)
        if (failure === undefined) resolve(answers.values.flat())
        else reject(Object.assign(failure, { responses: answers.values }))
      })
    })
    const found = await Promise.all([own, others])
    return found.flat()
  }

  /** Throws when the arguments have no structured clone; a callback is given that error instead. */
  override serverSideEmit(packet: unknown[]): Promise<void> {
    const ack = packet.at(-1)
    if (isAck(ack)) this.#emitWithAck(packet.slice(0, -1), ack)
    else this.#talk.tell([this.#topic], emitted(packet))
    return Promise.resolve()
  }

  /** Called by the router. */
  onBroadcast(body: BroadcastBody, from: string): void {
    this.#shared.metrics.received.inc()
    if (body.ask !== undefined) return this.#askOwnClients(body, body.ask, from)
    const { packets, flags } = body
    deliver({ packets, flags, packet: () => decodePackets(this.nsp.server, packets) }, (callback) =>
      this.#apply(optionsOf(body), callback),
    )
  }

  /** Called by the router. */
  onAnswer(message: AdapterAnswer, from: string): void {
    this.#talk.onAnswer(message, from)
  }

  /** Called by the router. Whether it was known to serve the namespace or not: it may have been asked. */
  onPeerGone(worker: string): void {
    this.#talk.left(worker)
  }

  /** Called by the router. The base class works out the answer, and hands it to `doPublishResponse`. */
  onQuestion(message: AdapterQuestion, from: string): void {
    const requestId = 'requestId' in message.data ? message.data.requestId : undefined
    this.#refusingFailure(from, requestId, () =>
      super.onMessage({ ...message, uid: from, nsp: this.nsp.name } as ClusterMessage),
    )
  }

  /** The base class would add heartbeats. */
  override publish(message: Parameters<NodeClusterAdapter['publish']>[0]): void {
    this.#talk.tell([this.#topic], message)
  }

  protected override doPublish(message: ClusterMessage): Promise<string> {
    this.#talk.tell([this.#topic], message)
    return Promise.resolve('')
  }

  protected override doPublishResponse(requester: string, { type, data }: ClusterResponse): Promise<void> {
    this.#talk.answer(requester, type, data)
    return Promise.resolve()
  }

  async #enter(): Promise<void> {
    const nodes: Map<string, number> = this['nodesMap']
    try {
      await this.#link.enterGroup(this.#topic, {
        joined: (worker) => nodes.set(worker, Number.POSITIVE_INFINITY),
        left: (worker) => {
          nodes.delete(worker)
          this.#talk.left(worker)
        },
      })
    } catch (error) {
      this.#shared.logger.error(
        { err: error, nsp: this.nsp.name },
        'a namespace is served without the other workers',
      )
    }
    this.#known = true
  }

  #spreads(opts: BroadcastOptions): boolean {
    return !this.#closed && opts.flags?.local !== true
  }

  #apply(opts: BroadcastOptions, callback: (socket: Socket) => void): void {
    this['apply'](opts, callback)
  }

  #encode(packet: Packet): EncodedPackets {
    return this.nsp.server.encoder.encode(packet)
  }

  #broadcastBody(opts: BroadcastOptions, packets: EncodedPackets, ask?: BroadcastBody['ask']): Buffer {
    const { rooms, except } = plainOptions(opts)
    return encodeBroadcast({ nsp: this.nsp.name, rooms, except, flags: flagsOf(opts), ask, packets })
  }

  #tell(
    type: MessageType,
    opts: BroadcastOptions,
    { data, grants }: { data: object; grants?: string[] },
  ): void {
    if (!this.#spreads(opts)) return
    const notice = { type, data: { opts: plainOptions(opts), ...data } }
    this.#talk.tell(this.#interest.topicsOf(opts.rooms), notice, grants)
  }

  #askOtherClients(
    packet: Packet,
    opts: BroadcastOptions,
    callbacks: { ack: (value: unknown) => void; settled: (clients: number) => void },
  ): void {
    const packets = this.#encode(packet)
    const timeoutMs = ackTimeoutMs(opts)
    this.#talk.askClients({
      ...callbacks,
      topics: this.#interest.topicsOf(opts.rooms),
      timeoutMs,
      body: (id) => this.#broadcastBody(opts, packets, { id, timeoutMs }),
    })
  }

  #askOwnClients(
    body: BroadcastBody,
    { id, timeoutMs }: { id: string; timeoutMs: number },
    from: string,
  ): void {
    // Encoded anew: the number of the packet has to be one of this server's.
    const packet = decodePackets(this.nsp.server, body.packets)
    const counted = (clientCount: number) => {
      this.#clientAcks.owe(packet.id ?? 0, clientCount, timeoutMs)
      this.#talk.answer(from, MessageType.BROADCAST_CLIENT_COUNT, { requestId: id, clientCount })
    }
    const acked = (value: unknown) => {
      this.#clientAcks.paid(packet.id ?? 0)
      this.#talk.answer(from, MessageType.BROADCAST_ACK, { requestId: id, packet: value })
    }
    this.#refusingFailure(from, id, () =>
      Adapter.prototype.broadcastWithAck.call(this, packet, optionsOf(body), counted, acked),
    )
  }

  #emitWithAck(args: unknown[], ack: AckCallback): void {
    if (this.#closed) return ack(null, [])
    const listener: AnswersListener = (answers, error) =>
      ack(error ?? lateError(answers) ?? null, answers.values)
    try {
      this.#talk.ask(
        emitted(args),
        { topics: [this.#topic], timeoutMs: this.#shared.answerTimeoutMs },
        listener,
      )
    } catch (error) {
      ack(error instanceof Error ? error : new Error(String(error)), [])
    }
  }

  /** What a listener of the application throws must not keep another worker waiting. */
  #refusingFailure(from: string, requestId: string | undefined, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (requestId !== undefined) this.#talk.refuse(from, requestId, error)
      throw error
    }
  }
}

/** The base class listens on Node's IPC channel and never stops; this adapter does not use that channel. */
function dropIpcListener(listenersBefore: number): void {
  const listeners = process.listeners('message')
  const own = listeners.at(-1)
  if (listeners.length > listenersBefore && own !== undefined) process.removeListener('message', own)
}

function isAck(value: unknown): value is AckCallback {
  return typeof value === 'function'
}

function emitted(packet: unknown[]) {
  return { type: MessageType.SERVER_SIDE_EMIT, data: { packet } }
}

function lateError({ values, late }: Answers): Error | undefined {
  if (late.length === 0) return undefined
  const error = new Error(`timeout reached: missing ${late.length} responses`)
  return Object.assign(error, { responses: values, late })
}
