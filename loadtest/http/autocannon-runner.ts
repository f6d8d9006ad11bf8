/**
 * Sends requests of one kind with autocannon, and counts the responses. It uses one thread, so the number of
 * connections is exact (split over threads, 10 over 3 would be 9). autocannon's own correction of coordinated
 * omission is off, because it mixes up seconds and milliseconds. Latencies are recorded here, as measured,
 * and corrected by the interval between a connection's requests.
 */
import { performance } from 'node:perf_hooks'
import autocannon from 'autocannon'
import type { Histogram } from 'hdr-histogram-js'
import { emptyHistogram } from '../measure/histograms.ts'
import type { HttpRequest, HttpSettings } from './scenarios.ts'

const TIMEOUT_SEC = 10
const HIGHEST_US = 600_000_000

export interface HttpCounts {
  durationMs: number
  answered: number
  byStatus: Record<string, number>
  non2xx: number
  mismatches: number
  errors: number
  timeouts: number
  bytes: number
  measured: Histogram
  corrected: Histogram
}

export interface HttpLoad {
  /** Of the host, without a path. */
  url: string
  request: HttpRequest
  isRight: (body: string) => boolean
  settings: HttpSettings
  /** Ends it early; counts so far are kept. */
  stop: AbortSignal
}

export async function runAutocannon(load: HttpLoad): Promise<HttpCounts> {
  const { connections, ratePerSec } = load.settings
  const [measured, corrected] = [emptyHistogram(), emptyHistogram()]
  const intervalUs = (1e6 * connections) / ratePerSec
  const beganAt = performance.now()
  const result = await run(load, (status, responseMs) => {
    if (status < 200 || status > 299) return
    const us = Math.min(HIGHEST_US, Math.max(1, Math.round(responseMs * 1_000)))
    measured.recordValue(us)
    corrected.recordValueWithExpectedInterval(us, intervalUs)
  })
  return {
    durationMs: performance.now() - beganAt,
    answered: result['1xx'] + result['2xx'] + result['3xx'] + result['4xx'] + result['5xx'],
    byStatus: statusesOf(result),
    non2xx: result.non2xx,
    mismatches: result.mismatches,
    errors: result.errors,
    timeouts: result.timeouts,
    bytes: result.throughput.total,
    measured,
    corrected,
  }
}

function run(
  { url, request, isRight, settings, stop }: HttpLoad,
  answered: (status: number, responseMs: number) => void,
): Promise<autocannon.Result> {
  const options: autocannon.Options = {
    url: url + request.path,
    connections: settings.connections,
    overallRate: settings.ratePerSec,
    duration: settings.durationSec,
    timeout: TIMEOUT_SEC,
    ignoreCoordinatedOmission: true,
    method: request.method,
    headers: request.headers,
    verifyBody: (text) => isRight(String(text)),
    ...bodiesOf(request),
  }
  return new Promise((resolve, reject) => {
    const instance = autocannon(options, (error: Error | null, result) => {
      stop.removeEventListener('abort', end)
      if (error === null) resolve(result)
      else reject(error)
    })
    instance.on('response', (_client, status, _bytes, responseMs) => answered(status, responseMs))
    stop.addEventListener('abort', end, { once: true })
    if (stop.aborted) end()
    function end() {
      instance.stop()
    }
  })
}

function bodiesOf({ body }: HttpRequest): Pick<autocannon.Options, 'requests'> {
  if (body === undefined) return {}
  let number = 0
  const setupRequest = (made: autocannon.Request) => {
    number += 1
    return { ...made, body: body(number) }
  }
  return { requests: [{ setupRequest }] }
}

function statusesOf({ statusCodeStats = {} }: autocannon.Result): Record<string, number> {
  return Object.fromEntries(Object.entries(statusCodeStats).map(([status, { count = 0 }]) => [status, count]))
}
