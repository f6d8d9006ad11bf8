/**
 * Whether the log on Redis works: commands are answered, and writes are not refused (out of memory, no disk, too few replicas).
 * While writes are refused one of its own is tried from time to time, since nobody else may try any more.
 */
import { isReply } from '../../redis/script.ts'
import { RookeryError } from '../../wire/errors.ts'

const PROBE_MS = 1_000

export class LogHealth {
  readonly #probe: () => Promise<unknown>
  readonly #tell: (reason: string | null) => void
  #unreachable: string | null = null
  #refusing: string | null = null
  #told: string | null | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param probe a write, somewhere in the cluster's own keys */
  constructor(probe: () => Promise<unknown>, tell: (reason: string | null) => void) {
    this.#probe = probe
    this.#tell = tell
  }

  get reason(): string | null {
    return this.#unreachable ?? this.#refusing
  }

  connection(reason: string | null): void {
    this.#unreachable = reason
    this.#say()
  }

  /** Something was written. */
  worked(): void {
    if (this.#refusing !== null) this.#setRefusing(null)
  }

  /** A write has failed. What only says that Redis is away is the connection's to tell. */
  failed(error: unknown): void {
    const cause = error instanceof RookeryError && error.code === 'unavailable' ? error.cause : undefined
    if (isReply(cause)) this.#setRefusing(`Redis takes no writes: ${cause.message}`)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #setRefusing(reason: string | null): void {
    this.#refusing = reason
    clearTimeout(this.#timer)
    if (reason !== null && !this.#closed) {
      this.#timer = setTimeout(() => {
        this.#probe().then(
          () => this.worked(),
          (error: unknown) => this.#probeFailed(error),
        )
      }, PROBE_MS).unref()
    }
    this.#say()
  }

  #probeFailed(error: unknown): void {
    this.failed(error)
    // Not refused but unanswered: it counts as refusing until a write has worked.
    if (this.#refusing !== null) this.#setRefusing(this.#refusing)
  }

  #say(): void {
    const { reason } = this
    if (this.#told === reason) return
    this.#told = reason
    this.#tell(reason)
  }
}
