/**
 * The worker's end of the link to its primary: publications to other workers, subscriptions, requests both
 * ways, log entries and events. A stream of its own beside Node's IPC channel.
 *
 * Order: frames arrive in the order in which the other side sent them. A confirmed subscription gets
 * everything that is published afterwards. No message from a worker comes after the notice that the worker is
 * gone. A lost link is not restored: a worker without its primary exits.
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
  publicationFrames,
  requestFrame,
  sendFrame,
  subscribeFrame,
  unsubscribeFrame,
} from '../../wire/frames.ts'
import { PendingCalls } from '../../wire/pending-calls.ts'
import type { Params, PrimaryEvent, PrimaryRequests, Result, WorkerRequests } from '../../wire/requests.ts'
import { primaryEvent, primaryRequests, workerRequests } from '../../wire/requests.ts'
import type { Message } from './incoming-messages.ts'
import { IncomingMessages } from './incoming-messages.ts'
import type { LinkLimits } from './limits.ts'
import { linkLimits } from './limits.ts'
import type { LinkMetrics } from './metrics.ts'
import { linkMetrics } from './metrics.ts'
import type { ReceiptListener } from './receipts.ts'
import { LinkReceipts } from './receipts.ts'
import { LinkStream } from './stream.ts'
import type { GroupListener } from './subscriptions.ts'
import { LinkSubscriptions } from './subscriptions.ts'

export interface LinkOptions {
  boot: Pick<WorkerBoot, 'name' | 'linkPath' | 'linkSecret'>
  logger: Logger
  registry: Registry
  limits?: Partial<LinkLimits>
}

export interface PublishOptions {
  /** May be dropped when a receiver can't keep up. */
  volatile?: boolean
  /**
   * The receivers count as subscribed to these topics until their listeners have returned. So they miss
   * nothing that is published after this if their listeners subscribe.
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
  readonly #subscriptions: LinkSubscriptions
  readonly #handlers = new Map<string, CallHandler>()
  readonly #callServer: CallServer
  readonly #incoming: IncomingMessages
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
    this.#subscriptions = new LinkSubscriptions(
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
      maxReplyBytes: this.#limits.maxFrameBytes,
    })
    this.#incoming = new IncomingMessages(this.#limits.incompleteBytes, {
      dropped: (grants) => {
        this.#metrics.incomplete.inc()
        this.#release(grants)
      },
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
      subscriptions: () => this.#subscriptions.size,
      openCalls: () => this.#calls.size,
      incompleteBytes: () => this.#incoming.bytes,
    })
  }

  /** Rejects with `unavailable` when the primary can't be reached or refuses this worker. */
  static async connect(options: LinkOptions): Promise<Link> {
    const link = new Link(options)
    await link.#hello(options.boot.linkSecret)
    return link
  }

  /** Bytes received from the primary so far. When they grow, the primary is alive. */
  get bytesRead(): number {
    return this.#stream.bytesRead
  }

  /**
   * Publishes to all other workers that are subscribed to any of the topics. Each gets it once. A long body
   * crosses the link in parts.
   * @returns false when it was dropped, because the primary does not keep up or is gone
   * @throws RookeryError `too_large` past `maxMessageBytes`
   */
  publish(topics: readonly string[], body: Buffer, options: PublishOptions = {}): boolean {
    return this.#publish(0, { topics, body, options })
  }

  /**
   * As `publish`. `listener` is called with the workers that got it, before anything that they answer. When
   * this throws (`too_large`) the listener is not called.
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

  /**
   * To one worker, by name. Never dropped while that worker is there. Throws a RookeryError `too_large` when
   * the body does not fit a frame.
   */
  send(worker: string, body: Buffer): void {
    this.#stream.offer(this.#bounded(sendFrame(worker, body)), 'control')
  }

  onMessage(listener: (body: Buffer, from: string) => void): () => void {
    return this.#messages.add(listener)
  }

  /**
   * Counted: each call needs one `unsubscribe`. Resolves when the primary has confirmed. Rejects with
   * `unavailable`, also when there is no confirmation within `requestTimeoutMs`; it may still come later.
   * Need not be awaited.
   */
  subscribe(topic: string): Promise<void> {
    return this.#subscriptions.subscribe(topic)
  }

  /**
   * As `subscribe`, to a topic whose subscribers know each other. `listener` gets the present members before
   * it resolves.
   */
  enterGroup(topic: string, listener: GroupListener): Promise<void> {
    return this.#subscriptions.enterGroup(topic, listener)
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.unsubscribe(topic)
  }

  /** Rejects with a `RookeryError`: `unavailable` past the deadline or when the link is lost. */
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

  /** Log entries published to topics of this worker. */
  onEntry(listener: (entry: LogEntry) => void): () => void {
    return this.#entries.add(listener)
  }

  onEvent(listener: (event: PrimaryEvent) => void): () => void {
    return this.#events.add(listener)
  }

  /** Called when a worker is gone: nothing comes from it any more. */
  onPeerGone(listener: (worker: string) => void): () => void {
    return this.#gone.add(listener)
  }

  onClose(listener: () => void): () => void {
    return this.#closes.add(listener)
  }

  /** Resolves when everything is sent, or after `closeTimeoutMs`. */
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
    const { maxMessageBytes, partBytes } = this.#limits
    if (body.length > maxMessageBytes) throw this.#tooLarge(body.length, maxMessageBytes)
    const frames = publicationFrames({ ref, volatile, topics, grants, body }, partBytes)
    for (const frame of frames) this.#bounded(frame)
    // A publication with a receipt is a request: it must not wait for others.
    const timing = ref === 0 ? 'gather' : 'turn'
    const sent = this.#stream.offerAll(frames, volatile ? 'volatile' : 'publication', timing)
    if (sent) this.#metrics.published.inc()
    return sent
  }

  #bounded(frame: Buffer): Buffer {
    if (frame.length <= this.#limits.maxFrameBytes) return frame
    throw this.#tooLarge(frame.length, this.#limits.maxFrameBytes)
  }

  #tooLarge(bytes: number, allowed: number): RookeryError {
    this.#metrics.tooLarge.inc()
    return new RookeryError('too_large', `${bytes} bytes for the link, ${allowed} allowed`)
  }

  #dispatch(frame: PrimaryFrame): void {
    switch (frame.kind) {
      case 'message':
        return this.#message(this.#incoming.begin(frame))
      case 'messagePart':
        return this.#message(this.#incoming.add(frame.from, frame.body))
      case 'messageAbandoned':
        return this.#incoming.abandon(frame.from)
      case 'entry':
        return this.#entries.call(logEntry.parse(frame.value))
      case 'event':
        return this.#events.call(primaryEvent.parse(frame.value))
      case 'subscribed':
        if (frame.refused) this.#logger.error('the primary refused a subscription: this worker has too many')
        return this.#subscriptions.confirmed(frame.ref, frame.refused, frame.members)
      case 'receipt':
        return this.#receipts.resolve(frame.ref, frame.workers)
      case 'member':
        return this.#subscriptions.member(frame.topic, frame.worker, frame.joined)
      case 'peerGone':
        this.#incoming.abandon(frame.worker)
        this.#subscriptions.peerGone(frame.worker)
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

  #message(message: Message | undefined): void {
    if (message === undefined) return
    this.#metrics.received.inc()
    this.#messages.call(message.body, message.from)
    this.#release(message.grants)
  }

  #release(grants: readonly string[]): void {
    for (const topic of grants) this.#stream.offer(unsubscribeFrame(topic), 'control')
  }

  #serve({ id, method, params }: PrimaryFrame & { kind: 'request' }): void {
    this.#callServer.serve({ id, method, params, from: 'primary' }).then(
      (reply) => this.#stream.offer(reply, 'control'),
      (error: unknown) => this.#logger.error({ err: error, method }, 'a reply could not be encoded'),
    )
  }

  #closed(): void {
    this.#refused?.(new RookeryError('unavailable', 'the primary is not there, or refused this worker'))
    this.#calls.rejectAll('the link to the primary is lost')
    this.#receipts.failAll()
    this.#subscriptions.failAll('the link to the primary is lost')
    this.#closes.call()
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((error) => {
      this.#metrics.failed.inc()
      this.#logger.error({ err: error }, 'a listener of the link threw an error')
    })
  }
}
