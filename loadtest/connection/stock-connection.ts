/**
 * The stock client, for realistic behaviour. It reconnects by its own rules and randomness. Where it would
 * not (the server refused it, or closed the namespace), it is made to connect again.
 */
import { io, type Socket } from 'socket.io-client'
import type { Transport } from '../model/plan.ts'
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  RequestFailed,
} from './connection.ts'
import { leaveInMs } from './draining.ts'
import { reconnectDelayMs } from './reconnect-delay.ts'
import { connectErrorWord, sourceOf } from './stock-internals.ts'
import { ClientSockets } from './transport/client-sockets.ts'
import { ReadLimiter, type Source } from './transport/read-limiter.ts'

const TRANSPORTS: Record<Transport, ('polling' | 'websocket')[]> = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
}

class StockConnection implements Connection {
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #random: () => number
  readonly #sockets: ClientSockets
  readonly #socket: Socket
  #isClosed = false
  /** The reason of an end that this class caused; the stock client would report another. */
  #endedAs: string | undefined
  #wasConnected = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #leaving: NodeJS.Timeout | undefined
  #limiter: ReadLimiter | undefined
  #throttled: Source | undefined

  constructor(options: ConnectionOptions, events: ConnectionEvents, random: () => number) {
    this.#options = options
    this.#events = events
    this.#random = random
    this.#sockets = new ClientSockets(new URL(options.url).protocol === 'https:', options.localAddress)
    const { agent } = this.#sockets
    this.#socket = io(options.url, {
      autoConnect: false,
      forceNew: true,
      transports: TRANSPORTS[options.transport],
      auth: options.auth,
      // Keeps load balancer cookies, as a browser does.
      withCredentials: true,
      transportOptions: { polling: { agent }, websocket: { agent } },
    })
    this.#listen()
  }

  get connected(): boolean {
    return this.#socket.connected
  }

  get transport(): 'polling' | 'websocket' | undefined {
    if (!this.connected) return undefined
    return this.#socket.io.engine.transport.name === 'websocket' ? 'websocket' : 'polling'
  }

  connect(): void {
    if (!this.#isClosed && this.#timer === undefined) this.#socket.connect()
  }

  async request(event: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    if (!this.connected) throw new RequestFailed('offline')
    try {
      return await this.#socket.timeout(timeoutMs).emitWithAck(event, payload)
    } catch (error) {
      const wasLost = error instanceof Error && error.message === 'socket has been disconnected'
      throw new RequestFailed(wasLost ? 'disconnect' : 'timeout')
    }
  }

  throttle(): void {
    const { reads } = this.#options
    if (reads === 'all' || !this.connected) return
    const { engine } = this.#socket.io
    this.#limiter?.stop()
    const source = sourceOf(engine, this.#sockets)
    const limiter = new ReadLimiter(reads, source)
    this.#limiter = limiter
    this.#throttled = source
    engine.on('data', (data: string) => limiter.count(data.length))
  }

  cut(offlineMs: number): void {
    if (this.#isClosed) return
    this.#sockets.cut()
    this.#end('transport close', offlineMs)
  }

  cycle(): void {
    if (this.connected) this.#end('io client disconnect', 0)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#forget()
    this.#socket.disconnect()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('connect', () => {
      this.#wasConnected = true
      this.#failures = 0
      this.#events.onConnect()
    })
    socket.on('connect_error', (error) => this.#failed(connectErrorWord(error)))
    socket.on('disconnect', (reason) => this.#lost(this.#endedAs ?? reason))
    socket.onAny((event: string, payload: unknown) => {
      if (event === 'draining') this.#drain(payload)
      this.#events.onEvent(event, payload)
    })
  }

  #end(reason: string, backInMs: number): void {
    this.#endedAs = reason
    // This is the only way to cancel a manager's pending reconnect.
    this.#socket.disconnect()
    this.#endedAs = undefined
    this.#connectIn(backInMs)
  }

  #failed(reason: string): void {
    if (this.#isClosed) return
    if (!this.#socket.active) this.#connectIn(this.#delayMs())
    this.#failures += 1
    this.#events.onConnectError(reason)
  }

  #lost(reason: string): void {
    const wasConnected = this.#wasConnected
    const wasLeaving = this.#leaving !== undefined
    this.#wasConnected = false
    this.#forget()
    // Unsent requests must not be sent after a reconnect.
    this.#socket.sendBuffer = []
    if (this.#isClosed) return
    if (!wasConnected) return this.#failed(reason)
    if (wasLeaving) this.#end(reason, 0)
    else if (!this.#socket.active) this.#connectIn(this.#delayMs())
    this.#events.onDisconnect(reason)
  }

  /** See `ReconnectingConnection`. */
  #drain(payload: unknown): void {
    const inMs = leaveInMs(payload)
    if (inMs === undefined) return
    clearTimeout(this.#leaving)
    this.#leaving = setTimeout(() => this.cycle(), inMs)
  }

  #connectIn(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sockets.mend()
      this.#socket.connect()
    }, delayMs)
  }

  #delayMs(): number {
    return reconnectDelayMs(this.#failures, this.#random())
  }

  #forget(): void {
    clearTimeout(this.#leaving)
    this.#leaving = undefined
    this.#limiter?.stop()
    this.#limiter = undefined
    // The response to a disconnect must be read.
    this.#throttled?.resume()
    this.#throttled = undefined
  }
}

/** @param random from 0 to less than 1 */
export function openStock(
  options: ConnectionOptions,
  events: ConnectionEvents,
  random: () => number,
): Connection {
  return new StockConnection(options, events, random)
}
