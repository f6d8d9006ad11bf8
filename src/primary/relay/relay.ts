/**
 * The relay: the primary's ends of all worker links. It passes messages between workers, serves their
 * requests, and sends them the events of the primary. It never parses a body.
 *
 * Everything on one link arrives in order. When a worker exits, its last frames are still passed on, then the
 * other workers are told that it is gone. After that nothing from it arrives.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { FrameError } from '../../core/byte-frames.ts'
import { Listeners } from '../../core/listeners.ts'
import type { KeptFile } from '../../ops/file-watch.ts'
import type { CallHandler } from '../../wire/call-server.ts'
import { CallServer } from '../../wire/call-server.ts'
import type { LogEntry } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { WorkerFrame } from '../../wire/frames.ts'
import { entryFrame, eventFrame, requestFrame, welcomeFrame } from '../../wire/frames.ts'
import type {
  Params,
  PresenceEvent,
  PrimaryEvent,
  PrimaryRequests,
  Result,
  WorkerRequests,
} from '../../wire/requests.ts'
import { primaryRequests, workerRequests } from '../../wire/requests.ts'
import { roomTopic } from '../../wire/topics.ts'
import type { Backplane } from '../backplane/index.ts'
import { singleHostBackplane } from '../backplane/index.ts'
import type { HostsTimings } from './host-relay.ts'
import { HostRelay } from './host-relay.ts'
import type { RoomInterests } from './host-subscriptions.ts'
import type { RelayLimits } from './limits.ts'
import { relayLimits } from './limits.ts'
import type { Admission, LinkListenerOptions } from './link-listener.ts'
import { LinkListener } from './link-listener.ts'
import type { RelayMetrics } from './metrics.ts'
import { relayMetrics } from './metrics.ts'
import { type OutsidePublication, RelayRouter } from './router.ts'
import type { LinkEnd } from './worker-link.ts'
import { WorkerLink } from './worker-link.ts'

export type { RelayLimits } from './limits.ts'

export type RelayHandlers = {
  [M in keyof WorkerRequests]: (
    params: Params<WorkerRequests, M>,
    from: string,
  ) => Result<WorkerRequests, M> | Promise<Result<WorkerRequests, M>>
}

export interface RelayOptions {
  /** Makes the server of the link listen. */
  listen: LinkListenerOptions['listen']
  secret: string
  handlers: RelayHandlers
  logger: Logger
  registry: Registry
  limits?: Partial<RelayLimits>
  /** Connection to the other hosts; undefined if the host works alone. */
  backplane?: Backplane
  /** What else to follow of a room that a worker is interested in. */
  rooms?: RoomInterests
  timings?: Partial<HostsTimings>
}

export interface LinkSocket extends KeptFile {
  readonly path: string
  /** Within this call. */
  restore(): void
}

export class Relay {
  readonly #links = new Map<string, WorkerLink>()
  /** Links of workers that have exited and whose last frames are still being read. */
  readonly #draining = new Set<WorkerLink>()
  readonly #limits: RelayLimits
  readonly #logger: Logger
  readonly #metrics: RelayMetrics
  readonly #router: RelayRouter
  readonly #callServer: CallServer
  readonly #goneListeners: Listeners<[worker: string]>
  #listener: LinkListener | undefined

  private constructor(options: RelayOptions) {
    this.#limits = { ...relayLimits, ...options.limits }
    this.#logger = options.logger
    this.#metrics = relayMetrics(options.registry, {
      queuedBytes: () => [...this.#links].map(([worker, link]) => [worker, link.queuedBytes]),
      passed: () => [...this.#links].map(([worker, link]) => [worker, link.passed]),
      missedRooms: () => [...this.#links].map(([worker, link]) => [worker, link.missedRooms]),
      topics: () => this.#router.topics,
    })
    this.#router = this.#createRouter(options)
    this.#goneListeners = new Listeners((err) =>
      this.#logger.error({ err }, 'a listener of the relay threw an error'),
    )
    this.#callServer = new CallServer({
      table: workerRequests,
      handlers: new Map(Object.entries(options.handlers) as [string, CallHandler][]),
      logger: options.logger,
      maxRunning: this.#limits.maxOpenCalls,
      maxReplyBytes: this.#limits.maxFrameBytes,
    })
  }

  static async listen(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options)
    relay.#listener = await LinkListener.listen({
      listen: options.listen,
      secret: options.secret,
      helloTimeoutMs: relay.#limits.helloTimeoutMs,
      maxConnections: relay.#limits.maxConnections,
      logger: options.logger,
      isTaken: (worker) => relay.#links.has(worker),
      admit: (admission) => relay.#admit(admission),
      refused: (reason) => relay.#metrics.refused.inc({ reason }),
    })
    return relay
  }

  /**
   * Sends to each subscribed worker; encoded once. A worker that falls behind is told later that it missed
   * entries.
   */
  publishEntry(topic: string, entry: LogEntry): void {
    this.#router.announce(topic, () => ({ room: entry.room, frame: entryFrame(entry) }))
  }

  /** See the router. */
  publishFromOutside(publication: OutsidePublication): boolean {
    return this.#router.publishFromOutside(publication)
  }

  /** Subscribed workers may have missed entries of the room: they read the log. */
  publishBehind(room: string): void {
    this.#router.announce(roomTopic(room), () => ({ room, frame: eventFrame({ type: 'behind', room }) }))
  }

  /**
   * With a topic: sends to each subscribed worker. A worker that falls behind gets the missed presence of a
   * room later as one change. Without a topic: sends to every worker; such an event is never dropped.
   */
  publishEvent(topic: string, event: PresenceEvent): void
  publishEvent(topic: null, event: PrimaryEvent): void
  publishEvent(topic: string | null, event: PrimaryEvent): void {
    const frame = eventFrame(event)
    if (topic === null) {
      for (const link of this.#links.values()) link.offer(frame, 'control')
    } else if (event.type === 'presence') {
      const { room, joined, left, count } = event
      this.#router.announce(topic, () => ({ room, frame, presence: { joined, left, count } }))
    }
  }

  /** Rejects with a `RookeryError`: `unavailable` after the deadline, or if there is no such worker. */
  async request<M extends keyof PrimaryRequests>(
    worker: string,
    method: M,
    params: Params<PrimaryRequests, M>,
    options: { timeoutMs?: number } = {},
  ): Promise<Result<PrimaryRequests, M>> {
    const link = this.#links.get(worker)
    if (link === undefined) throw new RookeryError('unavailable', `${method}: ${worker} is not there`)
    const result = await link.calls.open({
      method,
      result: primaryRequests[method].result,
      timeoutMs: options.timeoutMs ?? this.#limits.requestTimeoutMs,
      send: (id) => {
        if (!link.offer(requestFrame(id, method, params), 'control'))
          throw new RookeryError('unavailable', `${method}: ${worker} does not read its link`)
      },
    })
    return result as Result<PrimaryRequests, M>
  }

  workers(): readonly string[] {
    return [...this.#links.keys()]
  }

  /** The worker has exited. The others are told as soon as its last frames have been read. */
  removeWorker(name: string): void {
    const link = this.#links.get(name)
    if (link === undefined) return
    this.#links.delete(name)
    this.#draining.add(link)
    this.#router.muteWorker(name)
    link.drain()
  }

  /**
   * Called when nothing more can arrive from the worker: its link has ended and its last frames were handled.
   */
  onWorkerGone(listener: (worker: string) => void): void {
    this.#goneListeners.add(listener)
  }

  /** The socket on which workers connect: it must stay in place. */
  get socket(): LinkSocket {
    const listener = this.#listener
    return {
      name: 'link',
      path: listener?.path ?? '',
      isInPlace: () => listener?.isInPlace() ?? false,
      restore: () => listener?.restore(),
    }
  }

  async close(): Promise<void> {
    for (const link of [...this.#links.values(), ...this.#draining]) link.end('closed')
    await this.#listener?.close()
    this.#router.close()
  }

  #createRouter({
    backplane = singleHostBackplane(''),
    rooms,
    logger,
    registry,
    timings,
  }: RelayOptions): RelayRouter {
    return new RelayRouter({
      maxTopicsPerWorker: this.#limits.maxTopicsPerWorker,
      maxMessageBytes: this.#limits.maxMessageBytes,
      partBytes: this.#limits.partBytes,
      workers: {
        workers: () => this.#links.keys(),
        offer: (worker, frame, priority) => this.#links.get(worker)?.offer(frame, priority) ?? false,
        announce: (worker, announcement) => this.#links.get(worker)?.announce(announcement),
        withdrawn: (worker, topic) => this.#links.get(worker)?.forgetTopic(topic),
      },
      counters: {
        published: () => this.#metrics.published.inc(),
        unroutable: () => this.#metrics.unroutable.inc(),
      },
      hosts: (local) => new HostRelay({ backplane, local, rooms, logger, registry, timings }),
    })
  }

  #admit({ worker, socket, reader }: Admission): void {
    const link = new WorkerLink({
      worker,
      socket,
      reader,
      limits: this.#limits,
      logger: this.#logger,
      events: {
        frame: (from, frame) => this.#dispatch(from, frame),
        dropped: (priority) => this.#metrics.dropped.inc({ urgency: priority }),
        ended: (ended, reason) => this.#ended(ended, reason),
      },
    })
    this.#links.set(worker, link)
    link.offer(welcomeFrame(), 'control')
  }

  #dispatch(link: WorkerLink, frame: WorkerFrame): void {
    const from = link.worker
    switch (frame.kind) {
      case 'publish':
        return this.#router.publish(from, frame)
      case 'part':
        return this.#router.part(from, frame.body)
      case 'send':
        return this.#router.send(from, frame.to, frame.body)
      case 'subscribe':
        if (this.#draining.has(link)) return undefined
        return this.#router.subscribe(from, frame)
      case 'unsubscribe':
        return this.#router.unsubscribe(from, frame.topic)
      case 'request':
        return this.#serve(link, frame)
      case 'reply':
        link.calls.settle(frame.id, frame.ok, frame.value)
        return undefined
      case 'hello':
        throw new FrameError('a second hello')
    }
  }

  #serve(link: WorkerLink, { id, method, params }: WorkerFrame & { kind: 'request' }): void {
    const served = this.#callServer.serve({ id, method, params, from: link.worker })
    served.then(
      (reply) => link.offer(reply, 'control'),
      (error: unknown) => this.#logger.error({ err: error, method }, 'a reply could not be encoded'),
    )
  }

  #ended(link: WorkerLink, reason: LinkEnd): void {
    const { worker } = link
    this.#draining.delete(link)
    if (this.#links.get(worker) === link) this.#links.delete(worker)
    this.#metrics.ended.inc({ reason })
    this.#router.forget(worker)
    this.#goneListeners.call(worker)
    this.#logger.info({ worker, reason }, 'the link of a worker has ended')
  }
}
