/**
 * Listens on the link's socket and admits workers that know the secret. A connection that sends nothing, too
 * much or something invalid is closed.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Logger } from 'pino'
import { FrameError, FrameReader } from '../../core/byte-frames.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { SocketFile } from '../../core/socket-file.ts'
import type { Hello } from '../../wire/frames.ts'
import { LINK_VERSION } from '../../wire/frames.ts'
import { decodeWorkerFrame } from '../../wire/frames-decode.ts'

/** Least time between two log lines about the socket. */
const ERROR_LOG_MS = 5_000
/** Longest hello. */
const HELLO_BYTES = 1024
const NAME = /^[A-Za-z0-9_-]{1,64}$/

export type Refusal = 'hello' | 'timeout' | 'secret' | 'version' | 'name' | 'taken'

/** An admitted worker. Its socket has no listeners; `reader` has read the hello and nothing else. */
export interface Admission {
  worker: string
  socket: Socket
  reader: FrameReader
}

export interface LinkListenerOptions {
  /** Makes the server listen. */
  listen(server: Server): Promise<SocketFile>
  secret: string
  helloTimeoutMs: number
  maxConnections: number
  logger: Logger
  isTaken(worker: string): boolean
  admit(admission: Admission): void
  refused(reason: Refusal): void
}

export class LinkListener {
  readonly #options: LinkListenerOptions
  readonly #server: Server
  readonly #waiting = new Set<Socket>()
  #closed: Promise<void> | undefined

  /** Undefined until it listens. */
  #file: SocketFile | undefined

  private constructor(options: LinkListenerOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = options.maxConnections
  }

  static async listen(options: LinkListenerOptions): Promise<LinkListener> {
    const listener = new LinkListener(options)
    listener.#file = await options.listen(listener.#server)
    const throttle = new LogThrottle(ERROR_LOG_MS)
    listener.#server.on('error', (error) =>
      throttle.run((heldBack) =>
        options.logger.error({ err: error, heldBack }, 'the link cannot take connections'),
      ),
    )
    return listener
  }

  get path(): string {
    return this.#file?.path ?? ''
  }

  isInPlace(): boolean {
    return this.#closed !== undefined || (this.#file?.isInPlace() ?? false)
  }

  /** Listens anew after the file of the socket has vanished. The workers that are connected stay so. */
  restore(): void {
    if (this.#closed === undefined) this.#file?.restore()
  }

  /** Resolves when all its connections have ended. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#file?.remove()
    this.#server.close()
    for (const socket of this.#waiting) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    const reader = new FrameReader(HELLO_BYTES)
    this.#waiting.add(socket)
    const timer = setTimeout(() => refuse('timeout'), this.#options.helloTimeoutMs)
    const settle = () => {
      clearTimeout(timer)
      this.#waiting.delete(socket)
      socket.off('data', read)
      socket.off('close', settle)
    }
    const refuse = (reason: Refusal) => {
      settle()
      this.#refuse(socket, reason)
    }
    const read = (chunk: Buffer) => {
      const outcome = this.#readHello(reader, chunk)
      if (outcome === undefined) return
      if (typeof outcome === 'string') return refuse(outcome)
      settle()
      socket.off('error', fail)
      this.#options.admit({ worker: outcome.name, socket, reader })
    }
    const fail = (error: Error) =>
      this.#options.logger.debug({ err: error }, 'a connection to the link failed')
    socket.on('data', read)
    socket.on('close', settle)
    socket.on('error', fail)
  }

  /** A worker sends nothing after its hello until it gets the welcome. */
  #readHello(reader: FrameReader, chunk: Buffer): Hello | Refusal | undefined {
    try {
      const [first, second] = reader.push(chunk)
      if (first === undefined) return undefined
      const frame = decodeWorkerFrame(first)
      if (frame.kind !== 'hello' || second !== undefined) return 'hello'
      return this.#check(frame) ?? frame
    } catch (error) {
      if (error instanceof FrameError) return 'hello'
      throw error
    }
  }

  #check({ version, name, secret }: Hello): Refusal | undefined {
    if (!sameSecret(secret, this.#options.secret)) return 'secret'
    if (version !== LINK_VERSION) return 'version'
    if (!NAME.test(name)) return 'name'
    return this.#options.isTaken(name) ? 'taken' : undefined
  }

  #refuse(socket: Socket, reason: Refusal): void {
    this.#options.refused(reason)
    this.#options.logger.warn({ reason }, 'refused a connection to the link')
    socket.destroy()
  }
}

/** Constant-time comparison: reveals neither where the two differ nor their lengths. */
function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
