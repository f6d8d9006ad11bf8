/** Latencies of one interval. Values outside the histogram's range are set to its bound. */
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { emptyHistogram } from '../../measure/histograms.ts'

const LOWEST_US = 1

export class Latencies {
  readonly #histogram = emptyHistogram()
  /** Most intervals of most histograms are empty. */
  readonly #empty = encodeIntoCompressedBase64(this.#histogram)
  #isEmpty = true

  record(ms: number): void {
    if (Number.isNaN(ms)) return
    this.#isEmpty = false
    const microseconds = Math.max(LOWEST_US, Math.round(ms * 1_000))
    this.#histogram.recordValue(Math.min(this.#histogram.highestTrackableValue, microseconds))
  }

  /** Returns HdrHistogram V2, compressed, base64, and resets. */
  take(): string {
    if (this.#isEmpty) return this.#empty
    const encoded = encodeIntoCompressedBase64(this.#histogram)
    this.#histogram.reset()
    this.#isEmpty = true
    return encoded
  }
}
