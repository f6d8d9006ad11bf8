/** Curves of latency by percentile from HDR histograms, reduced for a page. */
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { LatencySummary, RunResult } from '../../model/result.ts'
import { LATENCIES, LATENCY_NAMES } from '../figures.ts'

export interface Curve {
  label: string
  /** Percentile, and the latency in milliseconds that this share did not exceed. */
  points: [percentile: number, ms: number][]
}

/** Equal steps on an axis of 1 / (1 − share): 20 for each nine. */
const STEPS_PER_NINE = 20
const NINES = 5
const US_PER_MS = 1_000

export function curvesOf({ latency }: RunResult): Curve[] {
  return LATENCY_NAMES.filter((name) => latency[name].count > 0).map((name) => ({
    label: LATENCIES[name].title,
    points: pointsOf(latency[name], name),
  }))
}

/** @throws if the histogram cannot be read */
export function pointsOf({ encoded }: LatencySummary, name: string): Curve['points'] {
  const histogram = decoded(encoded, name)
  const last = Math.min(NINES, Math.log10(Math.max(1, histogram.totalCount)))
  const shares = Array.from(
    { length: Math.floor(last * STEPS_PER_NINE) + 1 },
    (_, step) => 1 - 10 ** -(step / STEPS_PER_NINE),
  )
  return shares.map((share) => {
    const us = Math.min(histogram.getValueAtPercentile(share * 100), histogram.maxValue)
    return [share * 100, us / US_PER_MS]
  })
}

function decoded(encoded: string, name: string): Histogram {
  try {
    return decodeFromCompressedBase64(encoded)
  } catch (cause) {
    throw new Error(`the histogram of ${name} cannot be read`, { cause })
  }
}
