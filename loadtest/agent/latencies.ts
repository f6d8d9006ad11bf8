/** Latencies of one interval in whole microseconds, 1 µs to 10 min, three digits; what lies outside is taken to the bound. */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

const LOWEST_US = 1
const HIGHEST_US = 600_000_000

export class Latencies {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: LOWEST_US,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
  })
  /** Most intervals of most histograms are empty. */
  readonly #empty = encodeIntoCompressedBase64(this.#histogram)
  #isEmpty = true

  record(ms: number): void {
    if (Number.isNaN(ms)) return
    this.#isEmpty = false
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(LOWEST_US, Math.round(ms * 1_000))))
  }

  /** HdrHistogram V2, compressed, base64; begins anew. */
  take(): string {
    if (this.#isEmpty) return this.#empty
    const encoded = encodeIntoCompressedBase64(this.#histogram)
    this.#histogram.reset()
    this.#isEmpty = true
    return encoded
  }
}
