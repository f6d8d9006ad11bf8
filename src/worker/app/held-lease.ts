/**
 * One name that at most one worker of the cluster holds at a time: asks for it until it is held, makes it
 * longer, and tells when it is lost. Time counts from before each request, so that here the lease is never
 * longer than where it is kept.
 */
export interface LeaseRequests {
  hold(name: string): Promise<{ heldMs: number; ranAgoMs: number | null }>
  /** @returns whether it is still held */
  ran(name: string): Promise<boolean>
  end(name: string): Promise<void>
}

export interface HeldLeaseOptions {
  name: string
  requests: LeaseRequests
  /** Called each time it is taken. `signal` aborts when it is lost or given back. */
  onHeld: (signal: AbortSignal, ranAgoMs: number | null) => void
  onError: (error: unknown) => void
  now: () => number
}

/** How often a lease is asked for that another worker holds. */
const ASK_EVERY_MS = 2_000
/** Renewals within the time of a lease. */
const RENEWALS = 4
/** A task ends this much before its lease, because others' clocks go on while the signal is on its way. */
const MARGIN_MS = 500

const lost = () => new Error('another worker may have the lease now')

export class HeldLease {
  readonly #options: HeldLeaseOptions
  #held: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: HeldLeaseOptions) {
    this.#options = options
    this.#again(0)
  }

  /** Gives it back, and asks again after `afterMs`. */
  async yield(afterMs: number): Promise<void> {
    clearTimeout(this.#timer)
    await this.#giveBack()
    if (!this.#isClosed) this.#again(afterMs)
  }

  /** Ends what runs under it, and no longer makes it longer: until its end nobody else gets it. */
  abort(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
    this.#held?.abort(lost())
  }

  /** Gives it back for good. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#giveBack()
  }

  async #giveBack(): Promise<void> {
    if (this.#held === undefined) return
    this.#lose()
    await this.#options.requests.end(this.#options.name).catch(this.#options.onError)
  }

  #again(afterMs: number): void {
    this.#timer = setTimeout(() => void this.#ask(), afterMs)
    this.#timer.unref()
  }

  async #ask(): Promise<void> {
    const { name, requests, onError, now } = this.#options
    const askedAt = now()
    let nextMs = ASK_EVERY_MS
    try {
      const { heldMs, ranAgoMs } = await requests.hold(name)
      if (heldMs > 0) {
        nextMs = heldMs / RENEWALS
        this.#extend(askedAt + heldMs - MARGIN_MS - now(), ranAgoMs)
      } else this.#lose()
    } catch (error) {
      // What is held is held until its end.
      onError(error)
    }
    if (!this.#isClosed) this.#again(nextMs)
  }

  #extend(leftMs: number, ranAgoMs: number | null): void {
    if (this.#isClosed) return
    clearTimeout(this.#expiry)
    if (leftMs <= 0) return this.#lose()
    this.#expiry = setTimeout(() => this.#lose(), leftMs)
    this.#expiry.unref()
    if (this.#held !== undefined) return
    this.#held = new AbortController()
    this.#options.onHeld(this.#held.signal, ranAgoMs)
  }

  #lose(): void {
    clearTimeout(this.#expiry)
    const held = this.#held
    this.#held = undefined
    held?.abort(lost())
  }
}
