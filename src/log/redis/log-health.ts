/**
 * Health of the log on Redis: commands are answered, and writes are not refused (out of memory, no disk, too
 * few replicas). While writes are refused, a probe write is tried from time to time, because no caller writes
 * any more. Refusals count as over only after a quiet time: a store that is partly full refuses some writes
 * and accepts others, and all clients are told of each change.
 */
import { isReply } from '../../redis/script.ts'
import { RookeryError } from '../../wire/errors.ts'

const PROBE_MS = 1_000
/** Time without a refusal until writes count as accepted again. Doubles if they are refused again soon. */
const QUIET_MS = 2_000
const LONGEST_QUIET_MS = 32_000
const SOON_MS = 60_000

export class LogHealth {
  readonly #probe: () => Promise<unknown>
  readonly #onChange: (reason: string | null) => void
  #unreachable: string | null = null
  #refusing: string | null = null
  #refusedAt = 0
  #workedAt = Number.NEGATIVE_INFINITY
  #quietMs = QUIET_MS
  #reported: string | null | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param probe a write to one of the cluster's keys */
  constructor(probe: () => Promise<unknown>, onChange: (reason: string | null) => void) {
    this.#probe = probe
    this.#onChange = onChange
  }

  get reason(): string | null {
    return this.#unreachable ?? this.#refusing
  }

  setConnection(reason: string | null): void {
    this.#unreachable = reason
    this.#report()
  }

  /** A write has succeeded. */
  noteWritten(): void {
    if (this.#refusing === null || performance.now() - this.#refusedAt < this.#quietMs) return
    this.#workedAt = performance.now()
    this.#setRefusing(null)
  }

  /** A write has failed. Failures because Redis is away are reported by the connection instead. */
  noteFailed(error: unknown): void {
    const cause = error instanceof RookeryError && error.code === 'unavailable' ? error.cause : undefined
    if (isReply(cause)) this.#refused(`Redis takes no writes: ${cause.message}`)
  }

  #refused(reason: string): void {
    this.#refusedAt = performance.now()
    // Already reported.
    if (this.#refusing !== null) return
    const isSoon = this.#refusedAt - this.#workedAt < SOON_MS
    this.#quietMs = isSoon ? Math.min(LONGEST_QUIET_MS, 2 * this.#quietMs) : QUIET_MS
    this.#setRefusing(reason)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #setRefusing(reason: string | null): void {
    this.#refusing = reason
    this.#probeLater()
    this.#report()
  }

  /** A probe without an answer changes nothing: the store counts as refusing until a write has succeeded. */
  #probeLater(): void {
    clearTimeout(this.#timer)
    if (this.#refusing === null || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#probe()
        .then(
          () => this.noteWritten(),
          (error: unknown) => this.noteFailed(error),
        )
        .finally(() => this.#probeLater())
    }, PROBE_MS).unref()
  }

  #report(): void {
    const { reason } = this
    if (this.#reported === reason) return
    this.#reported = reason
    this.#onChange(reason)
  }
}
