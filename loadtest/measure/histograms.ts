/**
 * Merges latencies of many processes and seconds: histograms are added, so percentiles are those of all
 * values and never averaged. Values are whole microseconds, 1 µs to 10 min, three digits.
 */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'
import type { LatencySummary } from '../model/result.ts'

const HIGHEST_US = 600_000_000
const DIGITS = 3

export function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: DIGITS,
    autoResize: false,
    useWebAssembly: false,
  })
}

/** @param encoded HdrHistogram V2, compressed, base64 @throws for other texts */
export function merged(encoded: Iterable<string>): Histogram {
  const sum = emptyHistogram()
  for (const [text, times] of countsOf(encoded)) {
    const one = decodeFromCompressedBase64(text, 32, false)
    if (one.totalCount > 0) for (let n = 0; n < times; n += 1) sum.add(one)
  }
  return sum
}

/** Most are the same empty histogram, which needs decoding only once. */
function countsOf(encoded: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of encoded) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

const msOf = (microseconds: number): number => microseconds / 1_000

export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? 0 : msOf(histogram.getValueAtPercentile(percentile))
}

/** All zero without values. */
export function summaryOf(histogram: Histogram): LatencySummary {
  const count = histogram.totalCount
  return {
    count,
    minMs: count === 0 ? 0 : msOf(histogram.minNonZeroValue),
    meanMs: count === 0 ? 0 : msOf(histogram.mean),
    p50Ms: percentileMs(histogram, 50),
    p90Ms: percentileMs(histogram, 90),
    p99Ms: percentileMs(histogram, 99),
    p999Ms: percentileMs(histogram, 99.9),
    maxMs: count === 0 ? 0 : msOf(histogram.maxValue),
    encoded: encodeIntoCompressedBase64(histogram),
  }
}
