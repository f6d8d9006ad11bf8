/**
 * Keeps HTTP connections open between requests (keep-alive). A kept connection is in this worker's hands, but
 * its next request may belong to another: that one goes back to the primary, together with the connection.
 *
 * Sits between the HTTP server and its connections: connections that are not kept, and all WebSockets, reach
 * the server as they are.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Counter, Gauge, type Registry } from 'prom-client'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { type Endpoint, isServedBy } from '../../core/destination.ts'
import { framingOf } from '../../core/http-framing.ts'
import { HttpHeadParser, type RequestHead } from '../../core/http-head-parser.ts'
import { HttpStream } from './http-stream.ts'
import { KeptConnection, type KeptEnd } from './kept-connection.ts'

/** A head that takes longer goes to the primary, which has a limit for that. */
const HEAD_MS = 1_000
/** After so many requests, one without a session goes to the primary, which balances it anew. */
const REBALANCE_AFTER_REQUESTS = 1_000

export interface KeepAliveOptions {
  /** How long a connection may be idle; 0: no connection is kept. */
  idleMs: number
  /** Limit of kept connections. Past it the one that is idle for longest is closed. */
  maxConnections: number
  headMaxBytes: number
  /** Tag of this worker in session ids. */
  tag: string
  endpoint: Endpoint
  /** Passes the connection to the primary. `bytes` were read from it and come first. */
  handBack(socket: Socket, bytes: Buffer): void
  registry: Registry
  now: () => number
}

type EndReason = KeptEnd | 'idle' | 'crowded'

export class KeepAlive {
  readonly #options: KeepAliveOptions
  /** Node's own connection listener. */
  readonly #serve: (socket: Socket | HttpStream) => void
  /** Arrived, about to be served. */
  readonly #arrived = new WeakSet<Socket>()
  readonly #kept = new Map<HttpStream, KeptConnection>()
  readonly #idle: DeadlineSet<KeptConnection>
  readonly #heads: DeadlineSet<KeptConnection>
  readonly #ended: Counter<'reason'>
  readonly #requests: Counter
  #isDraining = false

  constructor(server: Server, options: KeepAliveOptions) {
    const { idleMs, now, registry } = options
    this.#options = options
    this.#idle = new DeadlineSet({ limitMs: idleMs, now, onOverdue: (one) => this.#close(one, 'idle') })
    this.#heads = new DeadlineSet({ limitMs: HEAD_MS, now, onOverdue: (one) => one.leave() })
    this.#ended = new Counter({
      name: 'rookery_kept_connections_ended_total',
      help: 'Kept HTTP connections that ended here, by reason; `elsewhere`: the next request was for another worker',
      labelNames: ['reason'],
      registers: [registry],
    })
    this.#requests = new Counter({
      name: 'rookery_kept_requests_total',
      help: 'HTTP requests on kept connections',
      registers: [registry],
    })
    this.#observe(registry)
    this.#serve = this.#takeListeners(server)
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(request, response),
    )
  }

  /** A connection has arrived with the head of its first request. Call before it is served. */
  received(socket: Socket, bytes: Uint8Array): void {
    if (this.#isDraining || this.#options.idleMs === 0 || !this.#isKeepable(bytes)) return
    if (this.#kept.size >= this.#options.maxConnections && !this.#makeRoom()) return
    this.#arrived.add(socket)
  }

  /** Keeps no connection any longer. Idle ones go back to the primary: a request may be on its way. */
  drain(): void {
    this.#isDraining = true
    for (const connection of this.#kept.values()) connection.drain()
  }

  #isKeepable(bytes: Uint8Array): boolean {
    const progress = new HttpHeadParser(this.#options.headMaxBytes).push(Buffer.from(bytes))
    if (progress.state !== 'complete') return false
    const { bodyBytes, isUpgrade, keepsAlive } = framingOf(progress.head)
    return bodyBytes !== undefined && !isUpgrade && keepsAlive
  }

  #makeRoom(): boolean {
    const { oldest } = this.#idle
    if (oldest !== undefined) this.#close(oldest, 'crowded')
    return oldest !== undefined
  }

  /** Connections that are kept reach Node's listener as streams; all others as they are. */
  #takeListeners(server: Server): (socket: Socket | HttpStream) => void {
    // Its own time-out between requests.
    server.keepAliveTimeout = 0
    const listeners = server.listeners('connection')
    const serve = (socket: Socket | HttpStream) => {
      for (const listener of listeners) Reflect.apply(listener, server, [socket])
    }
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (this.#arrived.delete(socket)) this.#keep(socket)
      else serve(socket)
    })
    // Node's own answer would keep the connection open without a request that anybody knows of.
    server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) =>
      response.writeHead(417, { Connection: 'close' }).end(),
    )
    return serve
  }

  #keep(socket: Socket): void {
    const connection = new KeptConnection(socket, {
      headMaxBytes: this.#options.headMaxBytes,
      serves: (head, requests) => this.#serves(head, requests),
      keeps: () => !this.#isDraining,
      onWaiting: (one, waiting) => {
        this.#idle.delete(one)
        this.#heads.delete(one)
        if (waiting === 'idle') this.#idle.add(one)
        if (waiting === 'head') this.#heads.add(one)
      },
      onEnd: (one, end, bytes) => this.#onEnd(one, end, bytes),
    })
    this.#kept.set(connection.stream, connection)
    this.#serve(connection.stream)
  }

  #serves(head: RequestHead, requests: number): boolean {
    return isServedBy(this.#options, head, requests >= REBALANCE_AFTER_REQUESTS)
  }

  #onRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    // Node types the stream of an injected connection as a socket.
    const stream: unknown = socket
    const connection = stream instanceof HttpStream ? this.#kept.get(stream) : undefined
    if (connection === undefined) return
    this.#requests.inc()
    if (!connection.responding(response)) return
    // `@socket.io/sticky` has set `close`.
    response.setHeader('Connection', 'keep-alive')
    response.setHeader('Keep-Alive', `timeout=${Math.ceil(this.#options.idleMs / 1_000)}`)
  }

  #close(connection: KeptConnection, reason: 'idle' | 'crowded'): void {
    this.#forget(connection, reason)
    connection.close()
  }

  #onEnd(connection: KeptConnection, end: KeptEnd, bytes: Buffer): void {
    this.#forget(connection, end)
    const { socket } = connection
    if (end === 'elsewhere') this.#options.handBack(socket, bytes)
    if (end !== 'upgrade') return
    this.#serve(socket)
    socket.unshift(bytes)
    socket.resume()
  }

  #forget(connection: KeptConnection, reason: EndReason): void {
    if (!this.#kept.delete(connection.stream)) return
    this.#idle.delete(connection)
    this.#heads.delete(connection)
    this.#ended.inc({ reason })
  }

  #observe(registry: Registry): void {
    const kept: Gauge<'state'> = new Gauge({
      name: 'rookery_kept_connections',
      help: 'HTTP connections that are kept open between requests',
      labelNames: ['state'],
      registers: [registry],
      collect: () => {
        kept.set({ state: 'idle' }, this.#idle.size)
        kept.set({ state: 'active' }, this.#kept.size - this.#idle.size)
      },
    })
  }
}
