/**
 * One kept connection: lets Node's HTTP server see one request at a time, and looks at the head of each
 * before. Requests that this worker does not serve leave with the connection. The first request is served
 * whatever it is: the primary has chosen this worker for it.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Framing, framingOf } from '../../core/http-framing.ts'
import { HttpHeadParser, type RequestHead } from '../../core/http-head-parser.ts'
import { HttpStream } from './http-stream.ts'

/** What is left of a body after its response; with more the connection is closed. */
const LEFTOVER_MAX_BYTES = 65_536

/** What the connection waits for: the next head, the rest of a head, or nothing. */
export type Waiting = 'idle' | 'head' | 'none'

export type KeptEnd = 'closed' | 'upgrade' | 'elsewhere'

export interface KeptConnectionOptions {
  headMaxBytes: number
  /** Whether this worker serves the request without asking the primary. */
  serves(head: RequestHead, requests: number): boolean
  /** False: the present response is the last one. */
  keeps(): boolean
  onWaiting(connection: KeptConnection, waiting: Waiting): void
  /** It is over here. Unless it is closed, the socket goes on with `bytes` as the next ones. */
  onEnd(connection: KeptConnection, end: KeptEnd, bytes: Buffer): void
}

type State =
  /** The next bytes begin a head, or continue one. */
  | { at: 'head'; parser: HttpHeadParser }
  /** `bodyBytes` are missing; the response may be over before. */
  | { at: 'request'; bodyBytes: number; isAnswered: boolean }
  /** The last request: all bytes are passed on as they are. */
  | { at: 'last' }
  | { at: 'end' }

export class KeptConnection {
  readonly socket: Socket
  readonly stream: HttpStream
  readonly #options: KeptConnectionOptions
  #state: State
  #requests = 0
  #waiting: Waiting = 'none'
  #response: ServerResponse | undefined
  /** What arrived behind the present request. The socket is paused meanwhile. */
  #ahead: Buffer[] = []

  constructor(socket: Socket, options: KeptConnectionOptions) {
    this.socket = socket
    this.#options = options
    this.#state = { at: 'head', parser: new HttpHeadParser(options.headMaxBytes) }
    this.stream = new HttpStream(socket, {
      onRead: () => this.#resume(),
      onClosed: () => this.#end('closed'),
    })
    socket
      .on('data', this.#onData)
      .on('end', this.#onSocketEnd)
      .on('close', this.#onClose)
      .on('error', this.#onError)
      .on('timeout', this.#onTimeout)
  }

  /** A request of this connection is about to be handled. @returns whether another one may follow */
  responding(response: ServerResponse): boolean {
    if (this.#state.at !== 'request') return false
    if (this.#response !== undefined) {
      // Two requests where the head announced one: the HTTP server and this class disagree.
      this.stream.destroy()
      return false
    }
    this.#response = response
    response.once('close', () => this.#answered())
    return this.#options.keeps()
  }

  /** The present response is the last one, if that can still be said. */
  drain(): void {
    if (this.#state.at === 'head') this.leave()
    if (this.#response === undefined || this.#response.headersSent) return
    this.#response.setHeader('Connection', 'close')
    this.#response.removeHeader('Keep-Alive')
  }

  /** Ends it here. What has arrived of the next head goes with it. */
  leave(end: 'elsewhere' | 'upgrade' = 'elsewhere'): void {
    const bytes = this.#state.at === 'head' ? this.#state.parser.bytes : Buffer.alloc(0)
    const rest = this.#takeBuffered()
    this.#end(end, rest.length === 0 ? bytes : Buffer.concat([bytes, ...rest]))
  }

  /** Closes it after what has been written. */
  close(): void {
    this.stream.destroySoon()
  }

  readonly #onSocketEnd = () => {
    if (this.#state.at === 'head') this.close()
    else this.stream.push(null)
  }
  readonly #onClose = () => this.stream.destroy()
  readonly #onError = (error: Error) => this.stream.destroy(error)
  readonly #onTimeout = () => this.stream.emit('timeout')

  readonly #onData = (chunk: Buffer) => {
    const state = this.#state
    switch (state.at) {
      case 'head':
        this.#readHead(state.parser, chunk)
        break
      case 'request':
        this.#readBody(state, chunk)
        break
      case 'last':
        this.#pass(chunk)
        break
      case 'end':
        break
    }
  }

  #readHead(parser: HttpHeadParser, chunk: Buffer): void {
    const progress = parser.push(chunk)
    if (progress.state === 'complete') this.#begin(progress.head, parser.bytes)
    else if (progress.state === 'partial') this.#wait('head')
    // The primary answers it.
    else this.leave()
  }

  #begin(head: RequestHead, bytes: Buffer): void {
    if (this.#requests > 0 && !this.#options.serves(head, this.#requests)) {
      this.leave()
      return
    }
    const framing = framingOf(head)
    if (framing.isUpgrade) {
      this.leave('upgrade')
      return
    }
    this.#requests += 1
    this.#wait('none')
    this.#beginBody(framing, bytes, head.headBytes)
  }

  #beginBody({ bodyBytes, keepsAlive }: Framing, bytes: Buffer, headBytes: number): void {
    if (bodyBytes === undefined || !keepsAlive) {
      this.#state = { at: 'last' }
      this.#pass(bytes)
      return
    }
    const state = { at: 'request' as const, bodyBytes: headBytes + bodyBytes, isAnswered: false }
    this.#state = state
    this.#readBody(state, bytes)
  }

  #readBody(state: { bodyBytes: number; isAnswered: boolean }, chunk: Buffer): void {
    const own = chunk.length > state.bodyBytes ? chunk.subarray(0, state.bodyBytes) : chunk
    state.bodyBytes -= own.length
    if (chunk.length > own.length) {
      this.#ahead.push(chunk.subarray(own.length))
      this.socket.pause()
    }
    if (own.length > 0) this.#pass(own)
    if (state.bodyBytes === 0 && state.isAnswered) this.#next()
  }

  #pass(chunk: Buffer): void {
    if (!this.stream.push(chunk)) this.socket.pause()
  }

  #resume(): void {
    if (this.#ahead.length === 0 && this.#state.at !== 'end') this.socket.resume()
  }

  #answered(): void {
    const state = this.#state
    this.#response = undefined
    if (state.at !== 'request' || this.stream.destroyed || this.stream.writableEnded) return
    state.isAnswered = true
    this.socket.setTimeout(0)
    if (state.bodyBytes === 0) this.#next()
    else if (state.bodyBytes > LEFTOVER_MAX_BYTES) this.close()
    // The rest of the body has as long as an idle connection.
    else this.#wait('idle')
  }

  /** The present request is over: goes on with the next one. */
  #next(): void {
    this.#state = { at: 'head', parser: new HttpHeadParser(this.#options.headMaxBytes) }
    const ahead = this.#ahead
    this.#ahead = []
    if (!this.#options.keeps()) {
      this.#ahead = ahead
      this.leave()
      return
    }
    this.#wait('idle')
    if (ahead.length > 0) this.#onData(ahead.length === 1 && ahead[0] ? ahead[0] : Buffer.concat(ahead))
    this.#resume()
  }

  #wait(waiting: Waiting): void {
    if (this.#waiting === waiting) return
    this.#waiting = waiting
    this.#options.onWaiting(this, waiting)
  }

  #takeBuffered(): Buffer[] {
    const buffered = this.#ahead
    this.#ahead = []
    this.socket.off('data', this.#onData)
    this.socket.pause()
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) buffered.push(chunk)
    return buffered
  }

  #read(): Buffer | undefined {
    const chunk: unknown = this.socket.read()
    return Buffer.isBuffer(chunk) ? chunk : undefined
  }

  #end(end: KeptEnd, bytes: Buffer = Buffer.alloc(0)): void {
    if (this.#state.at === 'end') return
    this.#state = { at: 'end' }
    this.#wait('none')
    if (end !== 'closed') {
      this.#unhook()
      this.stream.detach()
    }
    this.#options.onEnd(this, end, bytes)
  }

  #unhook(): void {
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onSocketEnd)
      .off('close', this.#onClose)
      .off('error', this.#onError)
      .off('timeout', this.#onTimeout)
  }
}
