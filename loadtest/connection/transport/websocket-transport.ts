/** Texts over one WebSocket. */
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { ReadLimit } from '../session/session.ts'
import { ReadLimiter } from './read-limiter.ts'
import { type Address, type CarryingTransport, reset, type TransportEvents, wordOf } from './transport.ts'

export interface WebSocketEvents extends TransportEvents {
  onOpen(): void
}

export class WebSocketTransport implements CarryingTransport {
  readonly name = 'websocket'
  readonly #socket: WebSocket
  /** Undefined: no more events. */
  #events: WebSocketEvents | undefined
  #net: Socket | undefined
  #limiter: ReadLimiter | undefined

  constructor({ url, localAddress, cookies }: Address, events: WebSocketEvents) {
    this.#events = events
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      // UTF-8 validity is not measured.
      skipUTF8Validation: true,
      headers: cookies.headers(),
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    this.#socket = socket
    socket.on('upgrade', (answer) => {
      cookies.take(answer.headers)
      this.#net = answer.socket
    })
    socket.on('open', () => this.#events?.onOpen())
    socket.on('message', (data, isBinary) => this.#take(data, isBinary))
    socket.on('error', (error) => this.#end('transport error', `websocket error: ${wordOf(error)}`))
    socket.on('close', (code) => this.#end('transport close', `websocket closed: ${code}`))
  }

  /** Sends further events to another receiver. */
  handTo(events: TransportEvents): void {
    this.#events = { ...events, onOpen: () => undefined }
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  throttle(reads: ReadLimit): void {
    this.#limiter?.stop()
    this.#limiter = new ReadLimiter(reads, this.#socket)
  }

  leave(): void {
    this.#forget()
    // The response to a close frame would never be read.
    if (this.#socket.isPaused) this.#socket.terminate()
    else this.#socket.close(1000)
  }

  cut(): void {
    this.#forget()
    if (this.#net === undefined) this.#socket.terminate()
    else reset(this.#net)
  }

  #take(data: unknown, isBinary: boolean): void {
    if (isBinary || !Buffer.isBuffer(data)) {
      this.#end('parse error', 'binary packet')
      this.#socket.terminate()
      return
    }
    this.#limiter?.count(data.length)
    this.#events?.onText(data.toString())
  }

  #end(reason: string, detail: string): void {
    const events = this.#events
    this.#forget()
    events?.onEnd(reason, detail)
  }

  #forget(): void {
    this.#events = undefined
    this.#limiter?.stop()
  }
}
