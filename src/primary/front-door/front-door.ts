/**
 * The public port of the host. Accepts connections and reads the first request head of each. Responds to the
 * requests that the primary serves itself, and queues the others for a worker. Runs no application code and
 * never sees a body.
 */
import { createServer, type Server, Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import {
  DEFAULT_ENDPOINT,
  type Destination,
  destinationOf,
  HEALTH_PATH,
  READY_PATH,
} from '../../core/destination.ts'
import type { RequestHead } from '../../core/http-head-parser.ts'
import { listenOn } from '../../core/listen-on.ts'
import { networkTest } from '../../core/networks.ts'
import { placementKey, slotOf } from '../../core/placement.ts'
import { stoppedSocket } from '../../core/stopped-socket.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import { descriptorLimit } from '../../ops/descriptors.ts'
import type { CorsPolicy, WorkerDoor } from '../../wire/control.ts'
import { RookeryError } from '../../wire/errors.ts'
import { Forwarding, type ForwardingOptions } from '../forward/index.ts'
import { Balancer } from './balancer.ts'
import { ConnectionQueue, type QueuedConnection, type RefusalReason } from './connection-queue.ts'
import { corsHeaders, preflightAnswer } from './cors.ts'
import type { HandOffTarget, TakenReport } from './hand-off.ts'
import { FEW_DESCRIPTORS, fitToDescriptors } from './limits.ts'
import { type FrontMetrics, frontMetrics } from './metrics.ts'
import { RefusalLog } from './refusal-log.ts'
import { type Arrival, type HeadRefusal, RequestHeadReader } from './request-head-reader.ts'
import { type HttpResponse, Responder } from './responses.ts'

export interface FrontDoorLimits {
  /** Longest request head. */
  headBytes: number
  headTimeoutMs: number
  /** Limit of connections whose head is incomplete. */
  pendingHeads: number
  /** Limit of connections that wait for a worker, and the time limit for each. */
  queueLength: number
  queueTimeoutMs: number
  /** Limit of connections in flight to one worker. */
  inFlightPerWorker: number
  /** Limit of new sessions of this host; 0: no limit. */
  admissionPerSecond: number
  /** Connections that the kernel queues until they are accepted. */
  backlog: number
  /** How long a handshake waits for the least loaded worker while another has room. */
  patienceMs: number
  /** A connection that its worker has not taken after this time is closed. */
  flightTimeoutMs: number
  /** A handshake that did not become a session is forgotten after one to two times this. */
  reservationMs: number
}

export const frontDoorLimits: FrontDoorLimits = {
  headBytes: 16_384,
  headTimeoutMs: 10_000,
  pendingHeads: 10_000,
  queueLength: 20_000,
  queueTimeoutMs: 10_000,
  inFlightPerWorker: 2,
  admissionPerSecond: 2_000,
  backlog: 4_096,
  patienceMs: 500,
  flightTimeoutMs: 30_000,
  reservationMs: 5_000,
}

/** By path, for GET and HEAD: responses of the primary itself; null leaves the request to a worker. */
export type PrimaryResponses = Readonly<Record<string, () => HttpResponse | null>>

export interface FrontDoorOptions {
  limits: FrontDoorLimits
  /** Take precedence over the front door's own `/healthz` and `/readyz`. */
  responses: PrimaryResponses
  /** Forwards connections to other hosts. Without it they are served here like any unknown session. */
  forwarding?: ForwardingOptions | undefined
  /** Whose connections must begin with the header of the PROXY protocol: addresses and networks. */
  proxyProtocolFrom?: readonly string[] | undefined
  /**
   * Which pages of other origins may read the front door's own responses, until a worker is ready. Unset:
   * none.
   */
  cors?: CorsPolicy | undefined
  /** Places for workers, of which a key chooses one. */
  slots?: number
  /** Why no worker is ready, if known. */
  waitingFor?: () => string | null
  logger: Logger
  registry: Registry
  now: () => number
  /** Tests switch it off to prove that they would notice the loss. */
  stopReadingBeforeTransfer?: boolean
}

const RETRY_AFTER_SECONDS = 2
/** A burst may hold the sessions of a tenth of a second. */
const ADMISSION_BURST_SECONDS = 0.1

const STOPPING = 'the host is stopping'

const refusalMessages: Readonly<Record<RefusalReason | 'crowded', string>> = {
  no_worker: 'no worker is ready',
  queue_full: 'too many connections are waiting',
  queue_timeout: 'no worker took the connection in time',
  crowded: 'too many connections are opening',
}

export class FrontDoor {
  readonly #options: FrontDoorOptions
  readonly #server: Server
  readonly #balancer: Balancer
  readonly #responder: Responder
  readonly #headReader: RequestHeadReader
  readonly #queue: ConnectionQueue
  readonly #forwarding: Forwarding | undefined
  readonly #metrics: FrontMetrics
  readonly #responses: Map<string, () => HttpResponse | null>
  readonly #refusalLog: RefusalLog
  #isStopping = false
  /** Of the worker that became ready last: all have the same application, except during a reload. */
  #door: WorkerDoor

  constructor(options: FrontDoorOptions) {
    const { now, registry } = options
    const descriptors = descriptorLimit()
    const wanted = { ...options.limits, forwards: options.forwarding?.limits.forwards ?? 0 }
    const { forwards, ...limits } = fitToDescriptors(wanted, descriptors)
    this.#options = { ...options, limits }
    this.#door = { endpoint: DEFAULT_ENDPOINT, cors: options.cors, heartbeatMs: 0 }
    this.#warnOfFew(descriptors)
    this.#balancer = new Balancer(limits.reservationMs)
    this.#responder = new Responder({ maxLingering: limits.pendingHeads, now })
    this.#refusalLog = new RefusalLog(options.logger, now)
    const isProxy = networkTest(options.proxyProtocolFrom ?? [])
    this.#headReader = new RequestHeadReader({
      ...limits,
      now,
      expectsProxyHeader: ({ remoteAddress }) => isProxy(remoteAddress),
      stopReadingBeforeTransfer: options.stopReadingBeforeTransfer ?? true,
      onHead: (arrival) => this.#onHead(arrival),
      onRefused: (socket, refusal) => this.#refuseHead(socket, refusal),
    })
    this.#queue = this.#createQueue()
    this.#forwarding = this.#createForwarding(forwards)
    this.#metrics = frontMetrics(registry, {
      pendingHeads: () => this.#headReader.size,
      waiting: () => this.#queue.size,
      loads: () => this.counts(),
    })
    this.#responses = new Map([
      [HEALTH_PATH, () => ({ status: 200, body: { status: 'ok' } })],
      [READY_PATH, () => this.#unreadiness()],
      ...Object.entries(options.responses),
    ])
    this.#server = createServer({ highWaterMark: 1, noDelay: true }, (socket) => this.#onConnection(socket))
  }

  /** @returns the port; the system chooses it if `port` is 0 */
  async listen(port: number, host: string): Promise<{ port: number }> {
    const { limits, logger } = this.#options
    const options = { port, host, backlog: limits.backlog }
    const onError = (error: Error) => logger.error({ err: error }, 'cannot accept connections')
    return { port: await listenOn(this.#server, options, onError) }
  }

  /** Opens the port for other hosts. @returns the port; the system chooses it if `port` is 0 */
  async listenForHosts(port: number, host: string): Promise<{ port: number }> {
    if (this.#forwarding === undefined) throw new TypeError('a front door without other hosts')
    return { port: await this.#forwarding.listen(port, host) }
  }

  /** From now on `/readyz` answers 503; everything else is served as before. */
  announceStop(): void {
    this.#isStopping = true
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Closes the port. Accepted connections, and connections forwarded by other hosts, are still served. */
  stopAccepting(): void {
    this.announceStop()
    this.#server.close()
  }

  /** Closes the port and all connections that no worker has taken. */
  close(): void {
    this.stopAccepting()
    this.#forwarding?.close()
    this.#headReader.close()
    this.#queue.close()
    this.#responder.close()
  }

  /**
   * Closes connections forwarded to other hosts, spread over `spreadMs`. Their clients reconnect through
   * other hosts.
   */
  moveForwarded(spreadMs: number): void {
    this.#forwarding?.move(spreadMs)
  }

  hostGone(hostTag: string): void {
    this.#forwarding?.hostGone(hostTag)
  }

  /** What a worker that is about to be added says of itself. */
  useDoor(door: WorkerDoor): void {
    this.#door = door
    this.#forwarding?.useHeartbeat(door.heartbeatMs)
  }

  /** The worker is ready and gets connections from now on. */
  addWorker(target: HandOffTarget): void {
    this.#queue.addWorker(target)
  }

  /** From now on the worker gets only requests of its own sessions. */
  drainWorker(name: string): void {
    this.#balancer.drain(name)
  }

  /** The worker's process has exited. */
  removeWorker(name: string): void {
    this.#queue.removeWorker(name)
  }

  /** The worker reports whether it received a connection. */
  taken(name: string, report: TakenReport): void {
    this.#queue.taken(name, report)
  }

  /**
   * A worker hands back a kept connection: its next request, which begins with `bytes`, is routed like the
   * first one of a new connection.
   */
  handedBack(handle: unknown, bytes: Uint8Array): void {
    this.#metrics.handedBack.inc()
    const socket = handle instanceof Socket ? stoppedSocket(handle, { highWaterMark: 1 }) : undefined
    if (socket === undefined) return
    // Without a request there is nothing to answer, and another host can take the next one.
    if (!this.#server.listening && bytes.length === 0) socket.destroy()
    else this.#read(socket, Buffer.from(bytes))
  }

  sessionOpened(name: string): void {
    this.#balancer.sessionOpened(name)
  }

  sessionClosed(name: string): void {
    this.#balancer.sessionClosed(name)
  }

  /** Workers that take new sessions. */
  get readyWorkers(): number {
    return this.#balancer.readyCount
  }

  /** Sessions by worker, including handshakes in flight. */
  counts(): Record<string, number> {
    this.#balancer.age(this.#options.now())
    return this.#balancer.loads()
  }

  #warnOfFew(descriptors: number | undefined): void {
    if (descriptors === undefined || descriptors >= FEW_DESCRIPTORS) return
    const { pendingHeads, queueLength } = this.#options.limits
    this.#options.logger.warn(
      { descriptors, pendingHeads, queueLength },
      'few file descriptors: each process can hold no more connections than that; raise the limit (ulimit -n, LimitNOFILE)',
    )
  }

  #createQueue(): ConnectionQueue {
    const { limits, now } = this.#options
    const { admissionPerSecond: perSecond } = limits
    return new ConnectionQueue({
      ...limits,
      now,
      balancer: this.#balancer,
      admission: new TokenBucket({ perSecond, burst: perSecond * ADMISSION_BURST_SECONDS, now: now() }),
      metrics: () => this.#metrics,
      onLost: (worker) =>
        this.#options.logger.warn(
          { worker, flightTimeoutMs: limits.flightTimeoutMs },
          'a worker did not take a connection: it is blocked, or out of file descriptors',
        ),
      onRefused: (connection, reason) => this.#refuseConnection(connection, reason),
    })
  }

  #onConnection(socket: Socket): void {
    this.#metrics.accepted.inc()
    this.#read(socket)
  }

  #read(socket: Socket, bytes?: Buffer): void {
    socket.on('error', (error) => {
      this.#metrics.socketErrors.inc()
      this.#options.logger.debug({ err: error }, 'connection failed')
    })
    this.#headReader.begin(socket, { bytes })
  }

  #createForwarding(forwards: number): Forwarding | undefined {
    const { forwarding, logger, registry, now } = this.#options
    if (forwarding === undefined) return undefined
    const options = { ...forwarding, limits: { ...forwarding.limits, forwards } }
    return new Forwarding(options, {
      logger,
      registry,
      now,
      onConnection: (socket, origin) => this.#headReader.begin(socket, { origin }),
    })
  }

  #onHead(arrival: Arrival): void {
    const { socket, head, bytes, origin } = arrival
    if (origin?.via === 'proxy') this.#metrics.proxied.inc()
    // Probes of the host itself may come without: what they are told depends on no address.
    if (arrival.lacksProxyHeader && !this.#responses.has(head.path)) {
      const refusal = { status: 400, reason: 'PROXY header missing', bytes, isProxyHeader: true }
      this.#refuseHead(socket, refusal)
      return
    }
    const response = this.#ownResponse(head)
    if (response === null) this.#pass(arrival)
    else this.#answer({ socket, bytes, method: head.method }, response)
  }

  /**
   * Forwards to the host of the session, or queues for a local worker. Connections from other hosts stay
   * here.
   */
  #pass({ socket, head, bytes, handedBackBytes, origin }: Arrival): void {
    const destination = destinationOf(head, this.#door.endpoint)
    const enter = () =>
      this.#queue.add({
        socket,
        bytes,
        handedBackBytes,
        origin,
        method: head.method,
        destination,
        slot: this.#slotOf(head, destination),
        since: this.#options.now(),
      })
    const { tag } = destination
    const host = tag === null || origin?.via === 'host' ? undefined : this.#forwarding?.otherHost(tag)
    if (host === undefined) enter()
    else this.#forwarding?.forward({ socket, address: origin?.client }, host, enter)
  }

  #slotOf(head: RequestHead, { kind }: Destination): number | undefined {
    const { placement } = this.#door
    const key = kind === 'handshake' && placement !== undefined ? placementKey(placement, head) : undefined
    return key === undefined ? undefined : slotOf(key, this.#options.slots ?? 1)
  }

  #ownResponse(head: RequestHead): HttpResponse | null {
    if (head.method !== 'GET' && head.method !== 'HEAD') return null
    return this.#responses.get(head.path)?.() ?? null
  }

  #unreadiness(): HttpResponse | null {
    if (this.#isStopping) return unavailable(STOPPING)
    if (this.#balancer.hasReady()) return null
    return unavailable(this.#messageOf('no_worker'))
  }

  #refuseHead(socket: Socket, { status, reason, bytes, isProxyHeader }: HeadRefusal): void {
    this.#metrics.refusedHeads.inc({ reason })
    if (status === 400) this.#refusalLog.note(bytes, socket.remoteAddress, isProxyHeader)
    if (status === 503) {
      this.#metrics.unavailable.inc({ reason })
      this.#answer({ socket, bytes }, unavailable(refusalMessages.crowded))
      return
    }
    const error = { code: 'bad_request', message: reason, retryable: false }
    this.#answer({ socket, bytes }, { status, body: { ok: false, error } })
  }

  #refuseConnection(connection: QueuedConnection, reason: RefusalReason): void {
    this.#metrics.unavailable.inc({ reason })
    const preflight = preflightAnswer(this.#door.cors, this.#door.endpoint.path, connection.bytes)
    this.#answer(connection, preflight ?? unavailable(this.#messageOf(reason)))
  }

  #messageOf(reason: RefusalReason): string {
    const why = reason === 'no_worker' ? this.#options.waitingFor?.() : null
    return why ?? refusalMessages[reason]
  }

  #answer(request: { socket: Socket; bytes: Buffer; method?: string }, response: HttpResponse): void {
    const headers = { ...corsHeaders(this.#door.cors, request.bytes), ...response.headers }
    this.#responder.response(request.socket, { ...response, headers }, request.method)
  }
}

function unavailable(message: string): HttpResponse {
  const error = new RookeryError('unavailable', message, { retryAfterMs: RETRY_AFTER_SECONDS * 1000 })
  return {
    status: error.status,
    body: { ok: false, error: error.toBody() },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  }
}
