/**
 * One connection to the chat that reconnects by itself. Sends single requests and returns their answers.
 * Knows nothing of rooms or messages. Every wait has a timeout.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { z } from 'zod'
import type { Ack, ChatAnswers, ChatEvent, ChatLimits, chatRequests } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'
import { ChatError, closed, offline, timedOut } from '../errors.ts'
import { serverAddress } from './address.ts'
import { type BackOff, retryDelayMs } from './back-off.ts'
import { type Clock, noop, Timer } from './clock.ts'
import { errorOf, isAuthor, isObject, limitsOf } from './guards.ts'
import { availableTransports } from './transports.ts'

export type RequestPayload<E extends ChatEvent> = z.input<(typeof chatRequests)[E]>

export type GuestAuth = { name: string; key?: string }
export type TokenAuth = { token: string }
/** What the application's own `auth` takes. */
export type OwnAuth = { readonly [key: string]: unknown }
export type Auth = GuestAuth | TokenAuth | OwnAuth
export type AuthSource = Auth | (() => Auth | Promise<Auth>)

export type SocketSettings = Partial<ManagerOptions & SocketOptions>

export interface ConnectionEvents {
  /** `welcome` has arrived: the server answers requests. */
  opened(user: Author, limits: ChatLimits | undefined): void
  lost(reason: string): void
  /** The server refuses this user. `final`: the connection does not retry. */
  refused(error: ChatError, final: boolean): void
  cluster(degraded: boolean, reason: string | undefined): void
  event(event: string, payload: unknown): void
  failed(error: unknown): void
}

export interface ConnectionOptions {
  url: string | undefined
  namespace: string | undefined
  auth: AuthSource
  socket: SocketSettings
  clock: Clock
  backOff: BackOff
  ackTimeoutMs: number
  events: ConnectionEvents
}

const AUTH_TIMEOUT_MS = 15_000
/** A connection without `welcome` after this time is closed and opened again. */
const WELCOME_TIMEOUT_MS = 20_000
const AUTH_ATTEMPTS_MAX = 5
const DRAIN_MAX_MS = 300_000
/** Share of the announced drain time. Moving before the worker closes the connection avoids a gap. */
const DRAIN_SHARE = 0.9

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #welcomeTimer: Timer
  readonly #reopenTimer: Timer
  readonly #drainTimer: Timer
  #welcomed = false
  #refusals = 0
  #failures = 0
  #lastReceivedAt = 0
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { clock } = options
    const { uri, path } = serverAddress(options.url, options.namespace)
    const settings: SocketSettings = {
      ...(path === undefined ? {} : { path }),
      transports: availableTransports(),
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 10_000,
      ...options.socket,
      forceNew: true,
      autoConnect: false,
      auth: (respond: (auth: object) => void) => void this.#authenticate(respond),
    }
    this.#socket = uri === undefined ? io(settings) : io(uri, settings)
    this.#welcomeTimer = new Timer(clock, () => this.reconnect())
    this.#drainTimer = new Timer(clock, () => this.#moveToOtherWorker())
    this.#reopenTimer = new Timer(clock, () => this.#socket.connect())
    this.#listen()
    this.#socket.connect()
  }

  get open(): boolean {
    return this.#welcomed
  }

  /**
   * Resolves with what `use` makes of the answer's content. Rejects with a `ChatError`: the server's own,
   * `timeout`, or `offline` as soon as the connection is lost; or with what `use` throws.
   * @param use called as the answer arrives. A server can send an answer and an event in one packet: what
   * waits for the promise runs after the event's handlers, and would apply the older state last.
   */
  async request<E extends ChatEvent, T>(
    event: E,
    payload: RequestPayload<E>,
    use: (answer: ChatAnswers[E]) => T,
  ): Promise<T> {
    if (this.#closed) throw closed(event)
    if (!this.#welcomed) throw offline(event)
    return this.#send(event, payload, (answer) => {
      if (!isObject(answer)) throw errorOf(undefined)
      const ack = answer as unknown as Ack<ChatAnswers[E]>
      if (!ack.ok) throw errorOf(ack.error)
      return use(ack)
    })
  }

  /**
   * Sends an event without an answer. A volatile one is dropped while the transport is busy: after another
   * event of the same turn, say.
   */
  notify<E extends ChatEvent>(event: E, payload: RequestPayload<E>, { volatile = false } = {}): void {
    if (this.#welcomed) (volatile ? this.#socket.volatile : this.#socket).emit(event, payload)
  }

  /** Closes the connection and opens a new one after a short delay. */
  reconnect(): void {
    if (this.#closed) return
    // Closing only the transport could wait for bytes that are never sent.
    const wasConnected = this.#socket.connected
    this.#socket.disconnect()
    if (!wasConnected) this.#reopenAfterDelay()
  }

  /** Connects at once instead of after the back-off delay, even after a final refusal. */
  connectNow(): void {
    if (this.#closed || this.#socket.connected) return
    this.#reopenTimer.cancel()
    this.#refusals = 0
    // This is the only way to cancel the reconnect that the manager has scheduled.
    this.#socket.disconnect()
    this.#socket.connect()
  }

  close(): void {
    this.#closed = true
    this.#welcomed = false
    for (const timer of [this.#welcomeTimer, this.#drainTimer, this.#reopenTimer]) timer.cancel()
    this.#socket.disconnect()
    this.#socket.removeAllListeners()
    this.#socket.offAny()
    this.#socket.io.removeAllListeners()
  }

  #send<T>(event: string, payload: object, use: (answer: unknown) => T): Promise<T> {
    const { ackTimeoutMs, clock } = this.#options
    const sentAt = clock.now()
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ackTimeoutMs).emit(event, payload, (error: Error | null, answer: unknown) => {
        if (error === null) {
          this.#received()
          try {
            resolve(use(answer))
          } catch (reason) {
            reject(ChatError.from(reason))
          }
        } else if (this.#socket.connected) {
          reject(timedOut(event))
          // Nothing was received since the request: the connection is half-open.
          if (this.#lastReceivedAt <= sentAt) this.reconnect()
        } else reject(this.#closed ? closed(event) : offline(event))
      })
    })
  }

  #listen(): void {
    const { events } = this.#options
    this.#socket.on('connect', () => this.#welcomeTimer.schedule(WELCOME_TIMEOUT_MS))
    this.#socket.on('disconnect', (reason) => this.#lost(reason))
    this.#socket.on('connect_error', (error: Error & { data?: unknown }) => this.#connectFailed(error))
    this.#socket.onAny((event: string, payload: unknown) => {
      this.#received()
      if (event === 'welcome') this.#welcome(payload)
      else if (event === 'draining') this.#drain(payload)
      else if (event === 'cluster') this.#cluster(payload)
      else events.event(event, payload)
    })
  }

  #received(): void {
    this.#lastReceivedAt = this.#options.clock.now()
  }

  #welcome(payload: unknown): void {
    if (this.#welcomed || !isObject(payload) || !isAuthor(payload.user)) return
    this.#welcomeTimer.cancel()
    this.#welcomed = true
    this.#refusals = 0
    this.#failures = 0
    this.#options.events.opened(payload.user, limitsOf(payload.limits))
  }

  #lost(reason: string): void {
    this.#welcomeTimer.cancel()
    const wasDraining = this.#drainTimer.isSet
    this.#drainTimer.cancel()
    const wasOpen = this.#welcomed
    this.#welcomed = false
    if (wasOpen) this.#options.events.lost(reason)
    if (this.#closed) return
    // Not inside this event handler, where socket.io-client schedules its own reconnect.
    if (wasDraining) this.#drainTimer.schedule(0)
    // The server closed the connection on purpose: socket.io-client does not reconnect then.
    else if (!this.#socket.active) this.#reopenAfterDelay()
  }

  #connectFailed(error: Error & { data?: unknown }): void {
    if (this.#socket.active) return
    const refusal = error.data === undefined ? ChatError.from(error) : errorOf(error.data)
    this.#refusals += 1
    const canAskAgain = typeof this.#options.auth === 'function' && this.#refusals < AUTH_ATTEMPTS_MAX
    const final = !refusal.retryable && !canAskAgain
    if (!final) this.#reopenAfterDelay(refusal.retryAfterMs)
    this.#options.events.refused(refusal, final)
  }

  #reopenAfterDelay(retryAfterMs?: number): void {
    this.#failures += 1
    this.#reopenTimer.schedule(retryDelayMs(this.#options.backOff, this.#failures, retryAfterMs))
  }

  /** A draining worker gives each client a different time, so that they do not all reconnect at once. */
  #drain(payload: unknown): void {
    const inMs = isObject(payload) && typeof payload.reconnectInMs === 'number' ? payload.reconnectInMs : 0
    const boundedMs = Math.min(DRAIN_MAX_MS, Math.max(0, inMs))
    this.#drainTimer.schedule(DRAIN_SHARE * boundedMs)
  }

  /** Reconnects without back-off: nothing has failed. */
  #moveToOtherWorker(): void {
    this.reconnect()
    this.connectNow()
  }

  #cluster(payload: unknown): void {
    if (!isObject(payload)) return
    const reason = typeof payload.reason === 'string' ? payload.reason : undefined
    this.#options.events.cluster(payload.state === 'degraded', reason)
  }

  async #authenticate(respond: (auth: object) => void): Promise<void> {
    const { auth, clock, events } = this.#options
    if (typeof auth !== 'function') return respond(auth)
    let cancel = noop
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(AUTH_TIMEOUT_MS, () => reject(timedOut('auth')))
    })
    try {
      respond(await Promise.race([auth(), late]))
    } catch (error) {
      events.failed(error)
      this.reconnect()
    } finally {
      cancel()
    }
  }
}
