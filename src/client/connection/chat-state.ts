/** The state of the client in one word, for the application. Pure, but reports changes. */
import type { ChatError } from '../errors.ts'

/**
 * `connecting`: not connected yet. `online`. `degraded`: connected, but the server can't store messages at
 * the moment. `offline`: the connection is lost; the client reconnects by itself unless it was refused for
 * good.
 */
export type ConnectionState = 'connecting' | 'online' | 'degraded' | 'offline' | 'refused' | 'closed'

export interface ChatState {
  readonly state: ConnectionState
  /** Messages that are not in the server's log yet. */
  readonly waiting: number
  /** The reason for the state, for people. */
  readonly reason?: string
}

export interface StateInputs {
  isOpen: boolean
  waiting: number
}

export class ChatStateTracker {
  readonly #now: () => StateInputs
  readonly #changed: (state: ChatState) => void
  #current: ChatState = { state: 'connecting', waiting: 0 }
  #degraded: string | undefined
  #refused: ChatError | undefined
  #wasEverOpen = false
  #closed = false

  constructor(now: () => StateInputs, changed: (state: ChatState) => void) {
    this.#now = now
    this.#changed = changed
  }

  get current(): ChatState {
    return this.#current
  }

  get isRefused(): boolean {
    return this.#refused !== undefined
  }

  /** A new connection starts without known problems. */
  opened(): void {
    this.#degraded = undefined
    this.#refused = undefined
    this.#wasEverOpen = true
  }

  cluster(degraded: boolean, reason: string | undefined): void {
    this.#degraded = degraded ? (reason ?? 'degraded') : undefined
    this.update(this.#degraded)
  }

  /** @param error undefined: not refused, or not for good */
  refused(error: ChatError | undefined): void {
    this.#refused = error
  }

  closed(): void {
    this.#closed = true
    this.update()
  }

  /** Reports the state if it has changed. */
  update(reason?: string): void {
    const { isOpen, waiting } = this.#now()
    const state = this.#state(isOpen)
    if (state === this.#current.state && waiting === this.#current.waiting) return
    const why = reason ?? (state === this.#current.state ? this.#current.reason : undefined)
    this.#current = { state, waiting, ...(why === undefined ? {} : { reason: why }) }
    this.#changed(this.#current)
  }

  #state(isOpen: boolean): ConnectionState {
    if (this.#closed) return 'closed'
    if (isOpen) return this.#degraded === undefined ? 'online' : 'degraded'
    if (this.#refused !== undefined) return 'refused'
    return this.#wasEverOpen ? 'offline' : 'connecting'
  }
}
