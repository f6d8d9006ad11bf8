/**
 * Moves an author's read marker to the author's own texts. The marker is stored with the user and the text
 * with the room, so it moves just after the append. Failed moves are kept (bounded, the newest of each user
 * and room) and retried. A retried message moves the marker too.
 */
import type { Gauge } from 'prom-client'

const PENDING_LIMIT = 10_000
const RETRY_MS = 1_000

export interface AuthorMarker {
  userId: string
  room: string
  seq: number
}

export class AuthorMarkers {
  readonly #move: (mark: AuthorMarker) => Promise<unknown>
  readonly #onFailed: (error: unknown) => void
  readonly #gauge: Gauge
  readonly #pending = new Map<string, AuthorMarker>()
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: {
    move: (mark: AuthorMarker) => Promise<unknown>
    onFailed: (error: unknown) => void
    gauge: Gauge
  }) {
    this.#move = options.move
    this.#onFailed = options.onFailed
    this.#gauge = options.gauge
  }

  /** Sent at once, so that later requests of this host see the new marker. */
  follow(mark: AuthorMarker): void {
    this.#move(mark).catch((error: unknown) => {
      this.#onFailed(error)
      this.#keep(mark)
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
  }

  #keep(mark: AuthorMarker): void {
    if (this.#closed) return
    const key = JSON.stringify([mark.userId, mark.room])
    const known = this.#pending.get(key)
    if (known === undefined && this.#pending.size >= PENDING_LIMIT) return
    this.#pending.set(key, known === undefined || known.seq < mark.seq ? mark : known)
    this.#gauge.set(this.#pending.size)
    this.#retry ??= setTimeout(() => this.#retryPending(), RETRY_MS).unref()
  }

  #retryPending(): void {
    this.#retry = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#gauge.set(0)
    for (const mark of pending) this.follow(mark)
  }
}
