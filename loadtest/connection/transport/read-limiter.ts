/**
 * Limits a source to an average rate in bytes per second: pauses it when it delivered more, and resumes it
 * when the rate allows.
 */
import type { ReadLimit } from '../session/session.ts'

/** Slack: shorter pauses are not worth a timer. */
const SLACK_SEC = 0.05

export interface Source {
  pause(): void
  resume(): void
}

export class ReadLimiter {
  readonly #source: Source
  readonly #reads: ReadLimit
  #debtBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(reads: ReadLimit, source: Source) {
    this.#reads = reads
    this.#source = source
    if (reads === 'never') source.pause()
  }

  count(bytes: number): void {
    if (this.#reads === 'never') return
    this.#debtBytes += bytes
    if (this.#timer === undefined && this.#debtBytes > this.#reads * SLACK_SEC) this.#pause(this.#reads)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #pause(bytesPerSec: number): void {
    const owedBytes = this.#debtBytes
    this.#source.pause()
    this.#timer = setTimeout(
      () => {
        this.#debtBytes -= owedBytes
        this.#timer = undefined
        // Data read before the pause is still delivered, and counts too.
        if (this.#debtBytes > bytesPerSec * SLACK_SEC) this.#pause(bytesPerSec)
        else this.#source.resume()
      },
      (owedBytes / bytesPerSec) * 1_000,
    )
  }
}
