/**
 * Texts over HTTP long polling: one GET waits for texts from the server, and one POST at a time sends the
 * client's. All it knows of Engine.IO is that packets are joined and that `1` closes.
 */

import { ENGINE, splitPayload, takePayload } from '../session/packets.ts'
import type { ReadLimit } from '../session/session.ts'
import { type HttpOutcome, PollingHttp } from './polling-http.ts'
import { ReadLimiter } from './read-limiter.ts'
import type { Address, CarryingTransport, TransportEvents } from './transport.ts'

/** Time for the close packet to be accepted. */
const LEAVE_TIMEOUT_MS = 5_000

export class PollingTransport implements CarryingTransport {
  readonly name = 'polling'
  readonly #http: PollingHttp
  /** Undefined: no more events. */
  #events: TransportEvents | undefined
  /** Bounded by what is sent during one POST; see `PendingRequests`. */
  #queue: string[] = []
  #sid: string | undefined
  #maxPayload = Number.POSITIVE_INFINITY
  #isPolling = false
  #isPosting = false
  #isHeld = false
  #paused: (() => void) | undefined
  #limiter: ReadLimiter | undefined
  #leaving: NodeJS.Timeout | undefined
  #isCloseSent = false

  constructor(address: Address, events: TransportEvents) {
    this.#events = events
    this.#http = new PollingHttp(address)
    this.#poll()
  }

  /** Sets the session that the first response opened. */
  began(sid: string, maxPayload: number): void {
    this.#sid = sid
    this.#maxPayload = maxPayload
  }

  send(text: string): void {
    this.#queue.push(text)
    this.#post()
  }

  throttle(reads: ReadLimit): void {
    this.#limiter?.stop()
    this.#limiter = new ReadLimiter(reads, { pause: () => this.#hold(true), resume: () => this.#hold(false) })
  }

  /** Calls `paused` when no request is under way; none starts until `resume`. */
  pause(paused: () => void): void {
    this.#paused = paused
    this.#checkPaused()
  }

  resume(): void {
    this.#paused = undefined
    this.#post()
    this.#poll()
  }

  /** After `pause`: ends it, because another transport takes over. @returns what has not been sent */
  retire(): string[] {
    this.#forget()
    this.#http.close()
    return this.#queue
  }

  leave(): void {
    this.#forget()
    if (this.#sid === undefined) return this.#http.close()
    this.#leaving = setTimeout(() => this.#http.close(), LEAVE_TIMEOUT_MS)
    this.#paused = undefined
    this.#post()
  }

  cut(): void {
    this.#forget()
    this.#http.cut()
  }

  #hold(held: boolean): void {
    this.#isHeld = held
    if (!held) this.#poll()
  }

  #poll(): void {
    const mustNotPoll =
      this.#isPolling || this.#isHeld || this.#paused !== undefined || this.#events === undefined
    if (mustNotPoll) return
    this.#isPolling = true
    this.#http.ask(this.#sid, undefined, (outcome) => {
      this.#isPolling = false
      this.#polled(outcome)
    })
  }

  #polled(outcome: HttpOutcome): void {
    if (outcome.status !== 200) return this.#fail(`xhr poll error: ${outcome.word}`)
    this.#limiter?.count(outcome.body.length)
    for (const packet of splitPayload(outcome.body)) {
      if (packet === ENGINE.close) return this.#end('transport close', 'closed by the server')
      this.#events?.onText(packet)
    }
    this.#checkPaused()
    this.#poll()
  }

  #post(): void {
    if (this.#isPosting || this.#paused !== undefined) return
    const payload = this.#nextPayload()
    if (payload === undefined) return
    this.#isPosting = true
    this.#http.ask(this.#sid, payload, (outcome) => {
      this.#isPosting = false
      this.#posted(outcome)
    })
  }

  /**
   * The close packet has a payload of its own: servers defer packets before it in the same payload, and then
   * lose them.
   */
  #nextPayload(): string | undefined {
    if (this.#queue.length > 0) return takePayload(this.#queue, this.#maxPayload)
    if (this.#leaving === undefined || this.#isCloseSent) return undefined
    this.#isCloseSent = true
    return ENGINE.close
  }

  #posted(outcome: HttpOutcome): void {
    if (outcome.status !== 200) return this.#fail(`xhr post error: ${outcome.word}`)
    this.#checkPaused()
    this.#post()
    if (this.#isCloseSent && !this.#isPosting) this.#close()
  }

  #checkPaused(): void {
    if (!this.#isPolling && !this.#isPosting) this.#paused?.()
  }

  #fail(detail: string): void {
    this.#close()
    this.#end('transport error', detail)
  }

  #close(): void {
    clearTimeout(this.#leaving)
    this.#http.close()
  }

  #end(reason: string, detail: string): void {
    const events = this.#events
    this.#forget()
    this.#http.close()
    events?.onEnd(reason, detail)
  }

  #forget(): void {
    this.#events = undefined
    this.#limiter?.stop()
  }
}
