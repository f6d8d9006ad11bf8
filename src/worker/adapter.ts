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
import { namespaceTopic } from '../wire/topics.ts'
import { AdapterAcks } from './adapter-acks.ts'
import type { BroadcastBody, BroadcastFlags, RoomKey } from './adapter-bodies.ts'
import { encodeBroadcast, encodeControl } from './adapter-bodies.ts'
import { ClientAcks } from './adapter-client-acks.ts'
import { cloneable } from './adapter-cloning.ts'
import type { EncodedPackets } from './adapter-delivery.ts'
import { decodePackets, deliver } from './adapter-delivery.ts'
import { AdapterInterest } from './adapter-interest.ts'
import type { AdapterAnswer, AdapterQuestion } from './adapter-messages.ts'
import { FAILED } from './adapter-messages.ts'
import type { AdapterMetrics } from './adapter-metrics.ts'
import { adapterMetrics } from './adapter-metrics.ts'
import type { Answers, AnswersListener } from './adapter-requests.ts'
import { AdapterRequests } from './adapter-requests.ts'
import { AdapterRouter } from './adapter-router.ts'
import type { Link } from './link.ts'

/** How long the other servers have for an answer when the caller does not say: as in the base class. */
const ANSWER_TIMEOUT_MS = 5_000
/** Questions of one namespace that may be open. */
const MAX_OPEN_QUESTIONS = 4_096
/** What a timer takes at most. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

interface Shared {
  link: Link
  router: AdapterRouter
  logger: Logger
  metrics: AdapterMetrics
}

type AckCallback = (error: Error | null, responses: unknown[]) => void

/** For `io.adapter(…)`: one adapter a namespace, all on one link. */
export function createLinkAdapter(
  link: Link,
  options: { logger: Logger; registry: Registry },
): (nsp: Namespace) => LinkAdapter {
  const { logger, registry } = options
  const router = new AdapterRouter(link, logger)
  const metrics = adapterMetrics(registry, {
    namespaces: () => router.size,
    openQuestions: () => router.openQuestions,
  })
  router.countOn(metrics)
  const shared = { link, router, logger, metrics }
  // Socket.IO calls it with `new`, which an arrow function does not bear.
  return function adapterOf(nsp: Namespace) {
    return new LinkAdapter(nsp, shared)
  }
}

export class LinkAdapter extends NodeClusterAdapter {
  readonly #shared: Shared
  readonly #link: Link
  readonly #interest: AdapterInterest
  readonly #requests = new AdapterRequests(MAX_OPEN_QUESTIONS)
  readonly #acks = new AdapterAcks()
  readonly #clientAcks: ClientAcks
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
    this.#interest = new AdapterInterest(shared.link, nsp.name)
    this.#clientAcks = new ClientAcks(nsp)
    this.on('create-room', (room: RoomKey) => this.#interest.add(room))
    this.on('delete-room', (room: RoomKey) => this.#interest.remove(room))
    shared.router.add(nsp.name, this)
    this.#entered = this.#enter()
  }

  /** Called by the base class's constructor and by the namespace; everything has its place in the constructor here. */
  override init(): void {}

  get openQuestions(): number {
    return this.#requests.size + this.#acks.size + this.#clientAcks.size
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#shared.router.remove(this.nsp.name, this)
    // The rooms first: who hears that this server has left must not find it in a room any more.
    this.#interest.close()
    this.#link.unsubscribe(namespaceTopic(this.nsp.name))
    this.#requests.failAll(new Error('the namespace has been closed'))
    this.#acks.dropAll()
    this.#clientAcks.close()
    this['nodesMap'].clear()
  }

  /** Resolves when the host is subscribed to the rooms. Need not be awaited. */
  override addAll(id: string, rooms: Set<string>): Promise<void> {
    if (this.sids.size === 0) this.#interest.addEveryone()
    void super.addAll(id, rooms)
    const confirmed = this.#interest.confirmed(rooms)
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
    // What is published to these rooms from now on finds the workers that are just about to subscribe to them.
    const grants = this.#interest.memberTopics(rooms)
    if (this.#spreads(opts)) this.#tell(MessageType.SOCKETS_JOIN, opts, { rooms }, grants)
    Adapter.prototype.addSockets.call(this, opts, rooms)
    return Promise.resolve()
  }

  override delSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    if (this.#spreads(opts)) this.#tell(MessageType.SOCKETS_LEAVE, opts, { rooms })
    Adapter.prototype.delSockets.call(this, opts, rooms)
    return Promise.resolve()
  }

  override disconnectSockets(opts: BroadcastOptions, close: boolean): Promise<void> {
    if (this.#spreads(opts)) this.#tell(MessageType.DISCONNECT_SOCKETS, opts, { close })
    Adapter.prototype.disconnectSockets.call(this, opts, close)
    return Promise.resolve()
  }

  override async fetchSockets(opts: BroadcastOptions): Promise<unknown[]> {
    const own = Adapter.prototype.fetchSockets.call(this, opts)
    if (!this.#spreads(opts)) return own
    const timeoutMs = boundedTimeout(opts.flags?.timeout ?? ANSWER_TIMEOUT_MS)
    const others = new Promise<unknown[]>((resolve, reject) => {
      const listener: AnswersListener = (answers, error) => {
        const failure = error ?? lateError(answers)
        if (failure === undefined) resolve(answers.values.flat())
        else reject(failure)
      }
      const topics = this.#interest.topicsOf(opts.rooms)
      this.#ask(
        { type: MessageType.FETCH_SOCKETS, data: { opts: plain(opts) } },
        { topics, timeoutMs },
        listener,
      )
    })
    const found = await Promise.all([own, others])
    return found.flat()
  }

  /** Throws when the arguments have no structured clone; a callback is given that error instead. */
  override serverSideEmit(packet: unknown[]): Promise<void> {
    const ack = packet.at(-1)
    if (!isAck(ack)) this.#publishControl([namespaceTopic(this.nsp.name)], emitted(packet))
    else this.#emitWithAck(packet.slice(0, -1), ack)
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
  onControl(message: AdapterQuestion | AdapterAnswer, from: string): void {
    switch (message.type) {
      case MessageType.FETCH_SOCKETS_RESPONSE:
        return this.#requests.answered(message.data.requestId, from, message.data.sockets)
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        return this.#requests.answered(message.data.requestId, from, message.data.packet)
      case MessageType.BROADCAST_CLIENT_COUNT:
        return this.#acks.counted(message.data.requestId, from, message.data.clientCount)
      case MessageType.BROADCAST_ACK:
        return this.#acks.acked(message.data.requestId, from, message.data.packet)
      case FAILED:
        this.#shared.logger.error({ from, reason: message.data.reason }, 'another worker could not answer')
        return this.#requests.unable(message.data.requestId, from)
      default:
        return this.#onQuestion(message, from)
    }
  }

  /** What the base class would send everybody. Without its heartbeats. */
  override publish(message: Parameters<NodeClusterAdapter['publish']>[0]): void {
    this.#publishControl([namespaceTopic(this.nsp.name)], message)
  }

  protected override doPublish(message: ClusterMessage): Promise<string> {
    this.#publishControl([namespaceTopic(this.nsp.name)], message)
    return Promise.resolve('')
  }

  /** The base class has worked out an answer. */
  protected override doPublishResponse(requester: string, { type, data }: ClusterResponse): Promise<void> {
    this.#answer(requester, type, data)
    return Promise.resolve()
  }

  async #enter(): Promise<void> {
    const nodes: Map<string, number> = this['nodesMap']
    try {
      await this.#link.enterGroup(namespaceTopic(this.nsp.name), {
        joined: (worker) => nodes.set(worker, Number.POSITIVE_INFINITY),
        left: (worker) => this.#left(worker),
      })
    } catch (error) {
      this.#shared.logger.error(
        { err: error, nsp: this.nsp.name },
        'a namespace is served without the other workers',
      )
    }
    this.#known = true
  }

  #left(worker: string): void {
    this['nodesMap'].delete(worker)
    this.#requests.gone(worker)
    this.#acks.gone(worker)
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
    return encodeBroadcast({
      nsp: this.nsp.name,
      rooms: [...opts.rooms],
      except: [...(opts.except ?? [])],
      flags: flagsOf(opts),
      ask,
      packets,
    })
  }

  #askOtherClients(
    packet: Packet,
    opts: BroadcastOptions,
    { ack, settled }: { ack: (value: unknown) => void; settled: (clients: number) => void },
  ): void {
    const timeoutMs = boundedTimeout(opts.flags?.timeout)
    const packets = this.#encode(packet)
    const id = this.#acks.open({
      timeoutMs,
      ack,
      settled: (clients, gone) => {
        this.#miss(gone)
        settled(clients)
      },
    })
    try {
      const body = this.#broadcastBody(opts, packets, { id, timeoutMs })
      this.#link.publishWithReceipt(this.#interest.topicsOf(opts.rooms), body, (workers) =>
        this.#acks.asked(id, workers),
      )
    } catch (error) {
      this.#acks.drop(id)
      throw error
    }
  }

  #askOwnClients(
    body: BroadcastBody,
    { id, timeoutMs }: { id: string; timeoutMs: number },
    from: string,
  ): void {
    // Encoded anew: the number of the packet has to be one of this server's.
    const packet = decodePackets(this.nsp.server, body.packets)
    Adapter.prototype.broadcastWithAck.call(
      this,
      packet,
      optionsOf(body),
      (clientCount) => {
        this.#clientAcks.owe(packet.id ?? 0, clientCount, timeoutMs)
        this.#answer(from, MessageType.BROADCAST_CLIENT_COUNT, { requestId: id, clientCount })
      },
      (value: unknown) => {
        this.#clientAcks.paid(packet.id ?? 0)
        this.#answer(from, MessageType.BROADCAST_ACK, { requestId: id, packet: value })
      },
    )
  }

  #emitWithAck(args: unknown[], ack: AckCallback): void {
    const listener: AnswersListener = (answers, error) =>
      ack(error ?? lateError(answers) ?? null, answers.values)
    const topics = [namespaceTopic(this.nsp.name)]
    if (this.#closed) return ack(null, [])
    try {
      this.#ask(emitted(args), { topics, timeoutMs: ANSWER_TIMEOUT_MS }, listener)
    } catch (error) {
      ack(error instanceof Error ? error : new Error(String(error)), [])
    }
  }

  #ask(
    { type, data }: { type: MessageType; data: object },
    { topics, timeoutMs }: { topics: string[]; timeoutMs: number },
    listener: AnswersListener,
  ): void {
    const id = this.#requests.open(timeoutMs, (answers, error) => {
      this.#miss(answers.missing)
      this.#shared.metrics.late.inc(answers.late.length)
      listener(answers, error)
    })
    if (id === null) return
    try {
      const body = encodeControl(this.nsp.name, { type, data: { ...data, requestId: id } })
      this.#link.publishWithReceipt(topics, body, (workers, error) => {
        if (error === undefined) this.#requests.asked(id, workers)
        else this.#requests.fail(id, error)
      })
    } catch (error) {
      this.#requests.withdraw(id)
      throw error
    }
  }

  #tell(type: MessageType, opts: BroadcastOptions, data: object, grants: string[] = []): void {
    const topics = this.#interest.topicsOf(opts.rooms)
    this.#publishControl(topics, { type, data: { opts: plain(opts), ...data } }, grants)
  }

  #publishControl(topics: string[], message: object, grants: string[] = []): void {
    if (!this.#closed) this.#link.publish(topics, encodeControl(this.nsp.name, message), { grants })
  }

  /** The base class answers; an application's listener that throws must not keep the caller waiting. */
  #onQuestion(message: AdapterQuestion, from: string): void {
    try {
      super.onMessage({ ...message, uid: from, nsp: this.nsp.name } as ClusterMessage)
    } catch (error) {
      if ('requestId' in message.data && message.data.requestId !== undefined)
        this.#refuse(from, message.data.requestId, error)
      throw error
    }
  }

  #answer(to: string, type: MessageType, data: Record<string, unknown> & { requestId: string }): void {
    if (this.#closed) return
    try {
      this.#link.send(to, this.#answerBody(type, data))
    } catch (error) {
      this.#shared.logger.error(
        { err: error, to, nsp: this.nsp.name },
        'an answer to another worker can not be sent',
      )
      this.#refuse(to, data.requestId, error)
    }
  }

  /** Of sockets, what has a clone: what an application keeps in `socket.data` need not have one. */
  #answerBody(type: MessageType, data: object): Buffer {
    try {
      return encodeControl(this.nsp.name, { type, data })
    } catch (error) {
      if (type !== MessageType.FETCH_SOCKETS_RESPONSE) throw error
      const lost: string[] = []
      const rest = cloneable(data, (path) => lost.push(path))
      this.#shared.metrics.uncloned.inc()
      this.#shared.logger.warn(
        { err: error, lost },
        'what has no structured clone was left out of fetched sockets',
      )
      return encodeControl(this.nsp.name, { type, data: rest })
    }
  }

  #refuse(to: string, requestId: string, error: unknown): void {
    const message = { type: FAILED, data: { requestId, reason: String(error) } }
    this.#link.send(to, encodeControl(this.nsp.name, message))
  }

  #miss(workers: readonly string[]): void {
    if (workers.length === 0) return
    this.#shared.metrics.missing.inc(workers.length)
    this.#shared.logger.warn({ workers, nsp: this.nsp.name }, 'workers went before they had answered')
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

function flagsOf({ flags }: BroadcastOptions): BroadcastFlags {
  return { volatile: flags?.volatile === true, compress: flags?.compress }
}

function plain({ rooms, except, flags }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...(except ?? [])], flags }
}

function optionsOf({ rooms, except, flags }: BroadcastBody): BroadcastOptions {
  return {
    // The type declarations say string; numbers work all the same.
    rooms: new Set(rooms as readonly string[]),
    except: new Set(except as readonly string[]),
    flags:
      flags.compress === undefined ? { volatile: flags.volatile } : { ...flags, compress: flags.compress },
  }
}

function boundedTimeout(timeoutMs: number | undefined): number {
  return Math.min(Math.max(1, timeoutMs ?? 1), MAX_TIMEOUT_MS)
}

function lateError({ values, late }: Answers): Error | undefined {
  if (late.length === 0) return undefined
  const error = new Error(`timeout reached: missing ${late.length} responses`)
  return Object.assign(error, { responses: values, late })
}
