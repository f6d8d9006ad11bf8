/**
 * The port for the other hosts of the cluster. Each connection must prove that it comes from such a host.
 * Reads exactly the preamble: the client's bytes follow after `accept` and are not read here.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { listenOn } from '../../core/listen-on.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import {
  type ClientAddress,
  createAccept,
  createHello,
  type ForwardRequest,
  NONCE_BYTES,
  readRequest,
} from '../../wire/forward.ts'
import type { ForwardMetrics } from './metrics.ts'

/** Where a connection comes from that passed through another host, or a proxy that says whose it is. */
export interface ConnectionOrigin {
  via: 'host' | 'proxy'
  /** Undefined: the socket's own address. */
  client: ClientAddress | undefined
  /** Bytes that were read before the client's bytes. */
  preambleBytes: number
}

export interface ForwardListenerOptions {
  /** Tag of this host. */
  self: string
  /** Each of them is accepted. Without a secret all connections are refused. */
  secrets: () => readonly string[]
  /** Limit of connections that have not proven themselves yet. Beyond it the oldest one is closed. */
  preambles: number
  preambleTimeoutMs: number
  metrics: ForwardMetrics
  logger: Logger
  now: () => number
  /** The socket has a `readableHighWaterMark` of 1. None of the client's bytes have been read. */
  onConnection(socket: Socket, origin: ConnectionOrigin): void
}

type Refusal = 'malformed' | 'forged' | 'not_here' | 'no_secret' | 'too_slow' | 'crowded' | 'left'

interface Pending {
  socket: Socket
  hello: Buffer
  bytes: Buffer
  stop(): void
}

const WARN_EVERY_MS = 60_000

export class ForwardListener {
  readonly #options: ForwardListenerOptions
  readonly #server: Server
  readonly #pending: DeadlineSet<Pending>
  readonly #warningThrottle = new LogThrottle(WARN_EVERY_MS)

  constructor(options: ForwardListenerOptions) {
    this.#options = options
    this.#server = createServer({ highWaterMark: 1, noDelay: true }, (socket) => this.#begin(socket))
    this.#pending = new DeadlineSet({
      limitMs: options.preambleTimeoutMs,
      now: options.now,
      onOverdue: (pending) => this.#refuse(pending, 'too_slow'),
    })
  }

  get pending(): number {
    return this.#pending.size
  }

  async listen(port: number, host: string): Promise<number> {
    return await listenOn(this.#server, { port, host }, (error) =>
      this.#options.logger.error({ err: error }, 'cannot accept connections from other hosts'),
    )
  }

  close(): void {
    this.#server.close()
    for (const pending of this.#pending.clear()) {
      pending.stop()
      pending.socket.destroy()
    }
  }

  #begin(socket: Socket): void {
    const oldest = this.#pending.oldest
    if (oldest !== undefined && this.#pending.size >= this.#options.preambles) this.#refuse(oldest, 'crowded')
    socket.on('error', (error) => {
      this.#options.metrics.socketErrors.inc({ side: 'forwarder' })
      this.#options.logger.debug({ err: error }, 'connection from another host failed')
    })
    const onData = (chunk: Buffer) => this.#read(pending, chunk)
    const onGone = () => this.#refuse(pending, 'left')
    const pending: Pending = {
      socket,
      hello: createHello(randomBytes(NONCE_BYTES)),
      bytes: Buffer.alloc(0),
      stop: () => socket.off('data', onData).off('end', onGone).off('close', onGone),
    }
    this.#pending.add(pending)
    socket.on('data', onData).on('end', onGone).on('close', onGone)
    socket.write(pending.hello)
  }

  /**
   * The forwarder sends nothing more until it is accepted, so these bytes can't include any of the client's.
   */
  #read(pending: Pending, chunk: Buffer): void {
    const secrets = this.#options.secrets()
    if (secrets.length === 0) {
      this.#refuse(pending, 'no_secret')
      return
    }
    pending.bytes = Buffer.concat([pending.bytes, chunk])
    const progress = readRequest(pending.bytes, pending.hello, secrets)
    if (progress.state === 'partial') return
    if (progress.state === 'refused') this.#refuse(pending, progress.reason)
    else if (progress.request.to !== this.#options.self) this.#refuse(pending, 'not_here')
    else this.#accept(pending, progress.request, progress.secret)
  }

  #accept(pending: Pending, request: ForwardRequest, secret: string): void {
    const { socket, bytes } = pending
    this.#pending.delete(pending)
    pending.stop()
    this.#options.metrics.received.inc()
    socket.write(createAccept(bytes, secret))
    this.#options.onConnection(socket, { via: 'host', client: request.client, preambleBytes: bytes.length })
  }

  #refuse(pending: Pending, reason: Refusal): void {
    this.#pending.delete(pending)
    pending.stop()
    const { remoteAddress } = pending.socket
    pending.socket.destroy()
    this.#options.metrics.refused.inc({ reason })
    if (reason === 'left') return
    this.#warningThrottle.run((heldBack) =>
      this.#options.logger.warn(
        { reason, remoteAddress, heldBack },
        'a connection from another host was refused',
      ),
    )
  }
}
