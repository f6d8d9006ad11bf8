/**
 * A worker's end of the link to its primary: publications to other workers, subscriptions, requests both ways, log
 * entries and events. A stream of its own beside Node's IPC channel.
 *
 * Order: all that arrives comes in the order in which the primary sent it, and all that is sent arrives in the order
 * of the calls. What is published after a subscription has been confirmed reaches it; nothing of a worker comes after
 * the word that it is gone. When the link is lost it is not made again: a worker without its primary leaves.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Listeners } from '../../core/listeners.ts'
import type { CallHandler } from '../../wire/call-server.ts'
import { CallServer } from '../../wire/call-server.ts'
import type { WorkerBoot } from '../../wire/control.ts'
import type { LogEntry } from '../../wire/entry.ts'
import { logEntry } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { PrimaryFrame } from '../../wire/frames.ts'
import {
  helloFrame,
  LINK_VERSION,
  publishFrame,
  requestFrame,
  sendFrame,
  subscribeFrame,
  unsubscribeFrame,
} from '../../wire/frames.ts'
import { PendingCalls } from '../../wire/pending-calls.ts'
import type { Params, PrimaryEvent, PrimaryRequests, Result, WorkerRequests } from '../../wire/requests.ts'
import { primaryEvent, primaryRequests, workerRequests } from '../../wire/requests.ts'
import type { LinkLimits } from './limits.ts'
import { linkLimits } from './limits.ts'
import type { LinkMetrics } from './metrics.ts'
import { linkMetrics } from './metrics.ts'
import type { ReceiptListener } from './receipts.ts'
import { LinkReceipts } from './receipts.ts'
import { LinkStream } from './stream.ts'
import type { GroupListener } from './subscriptions.ts'
import { LinkTopics } from './subscriptions.ts'

export interface LinkOptions {
  boot: Pick<WorkerBoot, 'name' | 'linkPath' | 'linkSecret'>
  logger: Logger
  registry: Registry
  limits?: Partial<LinkLimits>
}

export interface PublishOptions {
  /** May be dropped when a receiver is behind. */
  volatile?: boolean
  /**
   * Its receivers count as subscribed to these topics until their listeners have returned: what is published after
   * this finds them, if they have subscribed by then themselves.
   */
  grants?: readonly string[]
}

export class Link {
  readonly name: string
  readonly #limits: LinkLimits
  readonly #logger: Logger
  readonly #metrics: LinkMetrics
  readonly #stream: LinkStream
  readonly #calls: PendingCalls
  readonly #receipts: LinkReceipts
  readonly #topics: LinkTopics
  readonly #handlers = new Map<string, CallHandler>()
  readonly #callServer: CallServer
  readonly #messages = this.#listeners<[body: Buffer, from: string]>()
  readonly #entries = this.#listeners<[entry: LogEntry]>()
  readonly #events = this.#listeners<[event: PrimaryEvent]>()
  readonly #gone = this.#listeners<[worker: string]>()
  readonly #closes = this.#listeners<[]>()
  #welcomed: (() => void) | undefined
  #refused: ((error: RookeryError) => void) | undefined

  private constructor({ boot, logger, registry, limits }: LinkOptions) {
    this.name = boot.name
    this.#limits = { ...linkLimits, ...limits }
    this.#logger = logger
    this.#calls = new PendingCalls(this.#limits.maxOpenCalls)
    this.#receipts = new LinkReceipts(this.#limits.maxOpenCalls)
    this.#topics = new LinkTopics(
      {
        subscribe: (ref, topic, group) =>
          this.#stream.offer(subscribeFrame(ref, topic, group), 'control', 'soon'),
        unsubscribe: (topic) => this.#stream.offer(unsubscribeFrame(topic), 'control'),
      },
      this.#limits.requestTimeoutMs,
    )
    this.#callServer = new CallServer({
      table: primaryRequests,
      handlers: this.#handlers,
      logger,
      maxRunning: this.#limits.maxOpenCalls,
    })
    this.#stream = new LinkStream({
      path: boot.linkPath,
      limits: this.#limits,
      logger,
      events: {
        frame: (frame) => this.#dispatch(frame),
        dropped: () => this.#metrics.dropped.inc(),
        malformed: () => this.#metrics.malformed.inc(),
        closed: () => this.#closed(),
      },
    })
    this.#metrics = linkMetrics(registry, {
      queuedBytes: () => this.#stream.queuedBytes,
      subscriptions: () => this.#topics.size,
      openCalls: () => this.#calls.size,
    })
  }

  /** Rejects with `unavailable` when the primary is not there or does not let this worker in. */
  static async connect(options: LinkOptions): Promise<Link> {
    const link = new Link(options)
    await link.#hello(options.boot.linkSecret)
    return link
  }

  /** Of the primary, so far: more of them are a sign of life. */
  get bytesRead(): number {
    return this.#stream.bytesRead
  }

  /**
   * Passed on to each other worker with an interest in any of the topics, once.
   * @returns false when it has been dropped, because the primary does not keep up or is gone
   */
  publish(topics: readonly string[], body: Buffer, options: PublishOptions = {}): boolean {
    return this.#publish(0, { topics, body, options })
  }

  /**
   * As `publish`; `listener` is told which workers it has been passed to, before anything that they answer. What this
   * throws (`too_large`) the listener is not told.
   */
  publishWithReceipt(topics: readonly string[], body: Buffer, listener: ReceiptListener): void {
    const ref = this.#receipts.open(listener)
    if (ref === null) return
    try {
      if (!this.#publish(ref, { topics, body, options: {} })) this.#receipts.fail(ref)
    } catch (error) {
      this.#receipts.forget(ref)
      throw error
    }
  }

  /** To one worker by name; it is never dropped while that worker is there. */
  send(worker: string, body: Buffer): void {
    this.#stream.offer(this.#bounded(sendFrame(worker, body)), 'control')
  }

  onMessage(listener: (body: Buffer, from: string) => void): () => void {
    return this.#messages.add(listener)
  }

  /**
   * Counted: as many `unsubscribe` end it. Resolves when the primary has confirmed; rejects with `unavailable`, past the
   * deadline of requests as well (it may be confirmed later all the same), and need not be awaited.
   */
  subscribe(topic: string): Promise<void> {
    return this.#topics.subscribe(topic)
  }

  /** As `subscribe`, to a topic whose subscribers are told of each other. The others in it are told before it resolves. */
  enterGroup(topic: string, listener: GroupListener): Promise<void> {
    return this.#topics.enterGroup(topic, listener)
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(topic)
  }

  /** Rejects with a `RookeryError`; `unavailable` past the deadline or when the link is lost. */
  async request<M extends keyof WorkerRequests>(
    method: M,
    params: Params<WorkerRequests, M>,
    options: { timeoutMs?: number } = {},
  ): Promise<Result<WorkerRequests, M>> {
    const result = await this.#calls.open({
      method,
      result: workerRequests[method].result,
      timeoutMs: options.timeoutMs ?? this.#limits.requestTimeoutMs,
      send: (id) => {
        if (!this.#stream.offer(this.#bounded(requestFrame(id, method, params)), 'publication'))
          throw new RookeryError('unavailable', `${method}: the primary can't be reached`)
      },
    })
    return result as Result<WorkerRequests, M>
  }

  handle<M extends keyof PrimaryRequests>(
    method: M,
    handler: (
      params: Params<PrimaryRequests, M>,
    ) => Result<PrimaryRequests, M> | Promise<Result<PrimaryRequests, M>>,
  ): void {
    this.#handlers.set(method, handler as CallHandler)
  }

  /** Log entries that the primary publishes to topics of this worker. */
  onEntry(listener: (entry: LogEntry) => void): () => void {
    return this.#entries.add(listener)
  }

  onEvent(listener: (event: PrimaryEvent) => void): () => void {
    return this.#events.add(listener)
  }

  /** The worker is gone: nothing comes from it any more. */
  onPeerGone(listener: (worker: string) => void): () => void {
    return this.#gone.add(listener)
  }

  onClose(listener: () => void): () => void {
    return this.#closes.add(listener)
  }

  /** Resolves when what has been sent has left, or could not within a bounded time. */
  close(): Promise<void> {
    return this.#stream.end()
  }

  #hello(secret: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#stream.destroy(), this.#limits.welcomeTimeoutMs)
      this.#welcomed = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#refused = (error) => {
        clearTimeout(timer)
        reject(error)
      }
      this.#stream.offer(helloFrame({ version: LINK_VERSION, name: this.name, secret }), 'control', 'soon')
    })
  }

  #publish(
    ref: number,
    { topics, body, options }: { topics: readonly string[]; body: Buffer; options: PublishOptions },
  ) {
    const { volatile = false, grants = [] } = options
    const frame = this.#bounded(publishFrame({ ref, volatile, topics, grants, body }))
    // Whoever asks for a receipt waits for answers.
    const timing = ref === 0 ? 'gather' : 'turn'
    const sent = this.#stream.offer(frame, volatile ? 'volatile' : 'publication', timing)
    if (sent) this.#metrics.published.inc()
    return sent
  }

  #bounded(frame: Buffer): Buffer {
    if (frame.length <= this.#limits.maxFrameBytes) return frame
    throw new RookeryError(
      'too_large',
      `${frame.length} bytes for the link, ${this.#limits.maxFrameBytes} allowed`,
    )
  }

  #dispatch(frame: PrimaryFrame): void {
    switch (frame.kind) {
      case 'message':
        return this.#message(frame)
      case 'entry':
        return this.#entries.call(logEntry.parse(frame.value))
      case 'event':
        return this.#events.call(primaryEvent.parse(frame.value))
      case 'subscribed':
        if (frame.refused) this.#logger.error('the primary refused a subscription: this worker has too many')
        return this.#topics.confirmed(frame.ref, frame.refused, frame.members)
      case 'receipt':
        return this.#receipts.settle(frame.ref, frame.workers)
      case 'member':
        return this.#topics.member(frame.topic, frame.worker, frame.joined)
      case 'peerGone':
        this.#topics.peerGone(frame.worker)
        return this.#gone.call(frame.worker)
      case 'welcome':
        return this.#welcomed?.()
      case 'request':
        return this.#serve(frame)
      case 'reply':
        this.#calls.settle(frame.id, frame.ok, frame.value)
        return undefined
    }
  }

  #message({ body, from, grants }: PrimaryFrame & { kind: 'message' }): void {
    this.#metrics.received.inc()
    this.#messages.call(body, from)
    for (const topic of grants) this.#stream.offer(unsubscribeFrame(topic), 'control')
  }

  #serve({ id, method, params }: PrimaryFrame & { kind: 'request' }): void {
    this.#callServer.serve({ id, method, params, from: 'primary' }).then(
      (reply) => this.#stream.offer(reply, 'control'),
      (error: unknown) => this.#logger.error({ err: error, method }, 'a reply could not be made'),
    )
  }

  #closed(): void {
    this.#refused?.(
      new RookeryError('unavailable', 'the primary is not there, or has not let this worker in'),
    )
    this.#calls.rejectAll('the link to the primary is lost')
    this.#receipts.failAll()
    this.#topics.failAll('the link to the primary is lost')
    this.#closes.call()
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((error) => {
      this.#metrics.failed.inc()
      this.#logger.error({ err: error }, 'a listener of the link has thrown')
    })
  }
}
