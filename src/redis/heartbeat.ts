/**
 * Checks every second whether Redis answers, and reports each change at once.
 */
import { Listeners } from '../core/listeners.ts'

const ASK_MS = 1_000

export interface HeartbeatOptions {
  readonly timeoutMs: number
  /** Resolves with `null`, or with a reason if Redis can't serve. May reject. */
  readonly ask: () => Promise<string | null>
  /** Called with errors that a listener throws. */
  readonly failed: (error: unknown) => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #listeners: Listeners<[string | null]>
  readonly #timer: NodeJS.Timeout
  #askedAtMs: number | undefined
  #connection = 0
  #up = false
  #reason: string | null = 'not connected yet'
  #closed = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#listeners = new Listeners(options.failed)
    this.#timer = setInterval(() => this.#beat(), ASK_MS).unref()
  }

  get reason(): string | null {
    return this.#reason
  }

  onChange(listener: (reason: string | null) => void): void {
    this.#listeners.add(listener)
    listener(this.#reason)
  }

  /** Resolves when Redis answers. */
  healthy(): Promise<void> {
    return new Promise((resolve) => {
      const remove = this.#listeners.add((reason) => {
        if (reason !== null) return
        remove()
        resolve()
      })
      if (this.#reason !== null) return
      remove()
      resolve()
    })
  }

  connected(): void {
    this.#connection += 1
    this.#up = true
    this.#askedAtMs = undefined
    this.#beat()
  }

  lost(reason: string): void {
    this.#connection += 1
    this.#up = false
    this.#setReason(reason)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#setReason('the connection to Redis is closed')
    this.#closed = true
  }

  #beat(): void {
    if (!this.#up) return
    const nowMs = performance.now()
    if (this.#askedAtMs === undefined) {
      this.#askedAtMs = nowMs
      void this.#ask(this.#connection)
    } else if (nowMs - this.#askedAtMs > this.#options.timeoutMs) {
      this.#setReason('Redis does not answer')
    }
  }

  /** A late answer counts too, while the connection lasts. */
  async #ask(connection: number): Promise<void> {
    const reason = await this.#options.ask().catch((error: unknown) => String(error))
    if (connection !== this.#connection) return
    this.#askedAtMs = undefined
    this.#setReason(reason)
  }

  #setReason(reason: string | null): void {
    if (this.#closed || reason === this.#reason) return
    this.#reason = reason
    this.#listeners.call(reason)
  }
}
