/**
 * A connection made of consecutive sessions: reconnects with delays, after cuts, and when its server drains.
 * Knows no protocol.
 */
import type { ReadSpeed } from '../model/plan.ts'
import { type Connection, type ConnectionEvents, RequestFailed } from './connection.ts'
import { leaveInMs } from './draining.ts'
import { PendingRequests } from './pending-requests.ts'
import { reconnectDelayMs } from './reconnect-delay.ts'
import type { Dial, Session } from './session/session.ts'

/** As in socket.io-client; here the namespace must be connected within this time too. */
const CONNECT_TIMEOUT_MS = 20_000

export interface ReconnectOptions {
  dial: Dial
  reads: ReadSpeed
  /** From 0 to less than 1. */
  random: () => number
}

export class ReconnectingConnection implements Connection {
  readonly #options: ReconnectOptions
  readonly #events: ConnectionEvents
  readonly #requests = new PendingRequests()
  readonly #sessionEvents = {
    onReady: () => this.#ready(),
    onEvent: (event: string, payload: unknown) => this.#deliver(event, payload),
    onAnswer: (ref: number, answer: unknown) => this.#requests.settle(ref, answer),
    onEnd: (reason: string, detail: string) => this.#ended(reason, detail),
  }
  #session: Session | undefined
  #isReady = false
  #isClosed = false
  #failures = 0
  /** While not connected: the time-out of the attempt, or the next attempt. */
  #timer: NodeJS.Timeout | undefined
  /** Set when the server announced that it drains. */
  #leaving: NodeJS.Timeout | undefined

  constructor(options: ReconnectOptions, events: ConnectionEvents) {
    this.#options = options
    this.#events = events
  }

  get connected(): boolean {
    return this.#isReady
  }

  get transport(): 'polling' | 'websocket' | undefined {
    return this.#isReady ? this.#session?.transport : undefined
  }

  connect(): void {
    if (this.#session === undefined && this.#timer === undefined && !this.#isClosed) this.#open()
  }

  request(event: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    const session = this.#session
    if (session === undefined || !this.#isReady) return Promise.reject(new RequestFailed('offline'))
    return this.#requests.add(timeoutMs, (ref) => session.request(ref, event, payload))
  }

  throttle(): void {
    const { reads } = this.#options
    if (reads !== 'all' && this.#isReady) this.#session?.throttle(reads)
  }

  cut(offlineMs: number): void {
    if (this.#isClosed) return
    this.#session?.cut()
    this.#failures = 0
    this.#lose('transport close', offlineMs)
  }

  cycle(): void {
    if (!this.#isReady) return
    this.#session?.leave()
    this.#lose('io client disconnect', 0)
  }

  close(): void {
    this.#isClosed = true
    this.#session?.leave()
    this.#forget()
  }

  #open(): void {
    this.#timer = setTimeout(() => {
      this.#session?.cut()
      this.#fail('timeout')
    }, CONNECT_TIMEOUT_MS)
    this.#session = this.#options.dial(this.#sessionEvents)
  }

  #ready(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isReady = true
    this.#failures = 0
    this.#events.onConnect()
  }

  #deliver(event: string, payload: unknown): void {
    if (event === 'draining') this.#drain(payload)
    this.#events.onEvent(event, payload)
  }

  /** A draining server gives each client a time of its own. */
  #drain(payload: unknown): void {
    const inMs = leaveInMs(payload)
    if (inMs === undefined) return
    clearTimeout(this.#leaving)
    this.#leaving = setTimeout(() => this.cycle(), inMs)
  }

  #ended(reason: string, detail: string): void {
    if (!this.#isReady) return this.#fail(detail)
    this.#lose(reason, this.#leaving === undefined ? this.#delayMs() : 0)
  }

  #fail(reason: string): void {
    this.#forget()
    this.#openIn(this.#delayMs())
    this.#failures += 1
    this.#events.onConnectError(reason)
  }

  #lose(reason: string, backInMs: number): void {
    const wasReady = this.#isReady
    this.#forget()
    this.#openIn(backInMs)
    if (wasReady) this.#events.onDisconnect(reason)
  }

  #openIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.#open(), delayMs)
  }

  #delayMs(): number {
    return reconnectDelayMs(this.#failures, this.#options.random())
  }

  #forget(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#leaving)
    this.#timer = undefined
    this.#leaving = undefined
    this.#session = undefined
    this.#isReady = false
    this.#requests.failAll()
  }
}
