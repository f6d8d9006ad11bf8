/**
 * The relay: the primary's ends of all workers' links. It passes on what workers say to each other, serves their
 * requests, and tells them what the primary has to say. It never looks into a body, and knows nothing of rooms.
 *
 * Everything on one link arrives in the order in which it was sent. When a worker goes, its last words are passed on,
 * then the others are told that it is gone; from then on nothing of it comes.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { FrameError } from '../../core/byte-frames.ts'
import { Listeners } from '../../core/listeners.ts'
import type { LogEntry } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { WorkerFrame } from '../../wire/frames.ts'
import { entryFrame, eventFrame, requestFrame, welcomeFrame } from '../../wire/frames.ts'
import type { CallHandler } from '../../wire/link-serving.ts'
import { LinkServing } from '../../wire/link-serving.ts'
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
import type { Backplane } from '../backplane/backplane.ts'
import { soloBackplane } from '../backplane/backplane.ts'
import type { HostsTimings } from './host-relay.ts'
import { RelayHosts } from './host-relay.ts'
import type { RoomFeeds } from './host-subscriptions.ts'
import type { RelayLimits } from './limits.ts'
import { relayLimits } from './limits.ts'
import type { Admission } from './link-listener.ts'
import { RelayDoor } from './link-listener.ts'
import type { RelayMetrics } from './metrics.ts'
import { relayMetrics } from './metrics.ts'
import { RelayRouting } from './router.ts'
import type { LinkEnd } from './worker-link.ts'
import { RelayLink } from './worker-link.ts'

export type { RelayLimits } from './limits.ts'

export type RelayHandlers = {
  [M in keyof WorkerRequests]: (
    params: Params<WorkerRequests, M>,
    from: string,
  ) => Result<WorkerRequests, M> | Promise<Result<WorkerRequests, M>>
}

export interface RelayOptions {
  /** Of the Unix domain socket. Nothing may be there yet. */
  path: string
  secret: string
  handlers: RelayHandlers
  logger: Logger
  registry: Registry
  limits?: Partial<RelayLimits>
  /** What joins this host to others; none: it is on its own. */
  backplane?: Backplane
  /** What else has to be heard of a room that a worker wants. */
  rooms?: RoomFeeds
  timings?: Partial<HostsTimings>
}

export class Relay {
  readonly #links = new Map<string, RelayLink>()
  /** Links of workers that have exited: their last words are still being read. */
  readonly #leaving = new Set<RelayLink>()
  readonly #limits: RelayLimits
  readonly #logger: Logger
  readonly #metrics: RelayMetrics
  readonly #routing: RelayRouting
  readonly #serving: LinkServing
  readonly #gone: Listeners<[worker: string]>
  #door: RelayDoor | undefined

  private constructor(options: RelayOptions) {
    this.#limits = { ...relayLimits, ...options.limits }
    this.#logger = options.logger
    this.#metrics = relayMetrics(options.registry, {
      queuedBytes: () => [...this.#links].map(([worker, link]) => [worker, link.queuedBytes]),
      passed: () => [...this.#links].map(([worker, link]) => [worker, link.passed]),
      missedRooms: () => [...this.#links].map(([worker, link]) => [worker, link.missedRooms]),
      topics: () => this.#routing.topics,
    })
    this.#routing = this.#makeRouting(options)
    this.#gone = new Listeners((err) => this.#logger.error({ err }, 'a listener of the relay has thrown'))
    this.#serving = new LinkServing({
      table: workerRequests,
      handlers: new Map(Object.entries(options.handlers) as [string, CallHandler][]),
      logger: options.logger,
      maxRunning: this.#limits.maxOpenCalls,
    })
  }

  static async listen(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options)
    relay.#door = await RelayDoor.listen({
      path: options.path,
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

  /** Encoded once, to each worker with an interest. One that does not keep up is told later that it missed some. */
  publishEntry(topic: string, entry: LogEntry): void {
    this.#routing.announce(topic, () => ({ room: entry.room, frame: entryFrame(entry) }))
  }

  /** Something of the room may not have been told to the workers with an interest in it: they look at the log. */
  publishBehind(room: string): void {
    this.#routing.announce(roomTopic(room), () => ({ room, frame: eventFrame({ type: 'behind', room }) }))
  }

  /**
   * With a topic to each worker with an interest: what one that does not keep up misses of a room's presence, it is told
   * later as one change. Without one to every worker; such an event is never dropped.
   */
  publishEvent(topic: string, event: PresenceEvent): void
  publishEvent(topic: null, event: PrimaryEvent): void
  publishEvent(topic: string | null, event: PrimaryEvent): void {
    const frame = eventFrame(event)
    if (topic === null) {
      for (const link of this.#links.values()) link.offer(frame, 'control')
    } else if (event.type === 'presence') {
      const { room, joined, left, count } = event
      this.#routing.announce(topic, () => ({ room, frame, presence: { joined, left, count } }))
    }
  }

  /** Rejects with a `RookeryError`; `unavailable` past the deadline, or when the worker is not there. */
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

  /** The worker has exited. The others are told as soon as its last words have been read. */
  removeWorker(name: string): void {
    const link = this.#links.get(name)
    if (link === undefined) return
    this.#links.delete(name)
    this.#leaving.add(link)
    this.#routing.silence(name)
    link.expectEnd()
  }

  /** Called when nothing can come from the worker any more: its link has ended, and its last words have been served. */
  onWorkerGone(listener: (worker: string) => void): void {
    this.#gone.add(listener)
  }

  async close(): Promise<void> {
    for (const link of [...this.#links.values(), ...this.#leaving]) link.end('closed')
    await this.#door?.close()
    this.#routing.close()
  }

  #makeRouting({
    backplane = soloBackplane(''),
    rooms,
    logger,
    registry,
    timings,
  }: RelayOptions): RelayRouting {
    return new RelayRouting({
      maxTopicsPerWorker: this.#limits.maxTopicsPerWorker,
      outlet: {
        workers: () => this.#links.keys(),
        offer: (worker, frame, urgency) => this.#links.get(worker)?.offer(frame, urgency) ?? false,
        announce: (worker, announcement) => this.#links.get(worker)?.announce(announcement),
        withdrawn: (worker, topic) => this.#links.get(worker)?.forgetTopic(topic),
      },
      counts: {
        published: () => this.#metrics.published.inc(),
        unroutable: () => this.#metrics.unroutable.inc(),
      },
      hosts: (local) => new RelayHosts({ backplane, local, rooms, logger, registry, timings }),
    })
  }

  #admit({ worker, socket, reader }: Admission): void {
    const link = new RelayLink({
      worker,
      socket,
      reader,
      limits: this.#limits,
      logger: this.#logger,
      events: {
        frame: (from, frame) => this.#dispatch(from, frame),
        dropped: (urgency) => this.#metrics.dropped.inc({ urgency }),
        ended: (ended, reason) => this.#ended(ended, reason),
      },
    })
    this.#links.set(worker, link)
    link.offer(welcomeFrame(), 'control')
  }

  #dispatch(link: RelayLink, frame: WorkerFrame): void {
    const from = link.worker
    switch (frame.kind) {
      case 'publish':
        return this.#routing.publish(from, frame)
      case 'send':
        return this.#routing.send(from, frame.to, frame.body)
      case 'subscribe':
        if (this.#leaving.has(link)) return undefined
        return this.#routing.subscribe(from, frame)
      case 'unsubscribe':
        return this.#routing.unsubscribe(from, frame.topic)
      case 'request':
        return this.#serve(link, frame)
      case 'reply':
        link.calls.settle(frame.id, frame.ok, frame.value)
        return undefined
      case 'hello':
        throw new FrameError('a second hello')
    }
  }

  #serve(link: RelayLink, { id, method, params }: WorkerFrame & { kind: 'request' }): void {
    const served = this.#serving.serve({ id, method, params, from: link.worker })
    served.then(
      (reply) => link.offer(reply, 'control'),
      (error: unknown) => this.#logger.error({ err: error, method }, 'a reply could not be made'),
    )
  }

  #ended(link: RelayLink, reason: LinkEnd): void {
    const { worker } = link
    this.#leaving.delete(link)
    if (this.#links.get(worker) === link) this.#links.delete(worker)
    this.#metrics.ended.inc({ reason })
    this.#routing.forget(worker)
    this.#gone.call(worker)
    this.#logger.info({ worker, reason }, 'the link of a worker has ended')
  }
}
