/** Lets a source through at so many bytes a second on average: stops it when it has given more, and lets it go on when that is paid off. */
import type { ReadLimit } from '../session/session.ts'

/** So much may come at a time: a pause of less is not worth a timer. */
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
        // What had been read already when it stopped is still handed over, and is to be paid for too.
        if (this.#debtBytes > bytesPerSec * SLACK_SEC) this.#pause(bytesPerSec)
        else this.#source.resume()
      },
      (owedBytes / bytesPerSec) * 1_000,
    )
  }
}
