/** A run over HTTP, from the target's start to its end. */
import { randomBytes, randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { summaryOf } from '../measure/histograms.ts'
import { serverFigures } from '../measure/server-figures.ts'
import { type ServerSample, ServerSampler } from '../measure/server-sampler.ts'
import type { Check } from '../model/result.ts'
import type { RunObserver } from '../run/observer.ts'
import { refuseUnnamedHosts } from '../run/request/allowed-addresses.ts'
import type { TargetRequest } from '../run/request/request.ts'
import { withTarget } from '../run/run-scenario.ts'
import { nowMs } from '../system/clock.ts'
import { machineNow, toolNow } from '../system/machine.ts'
import { type HttpCounts, runAutocannon } from './autocannon-runner.ts'
import { HTTP_RESULT_VERSION, type HttpResult } from './http-result.ts'
import type { HttpRequest, HttpScenario, HttpSettings } from './scenarios.ts'

export interface HttpRunRequest extends TargetRequest {
  scenario: HttpScenario
  settings: HttpSettings
  /** For a server that already runs; servers that this tool starts get a key of their own. */
  apiKey: string | undefined
}

/** Below this share of the requested rate, the server did not keep up. */
const MIN_RATE_SHARE = 0.95
/** The generator is this process: beyond these limits it is the bottleneck. */
const MAX_CPU_SHARE = 0.9
const MAX_DELAY_MS = 50
const RESOLUTION_MS = 10
const PREPARE_MS = 10_000
/** autocannon 9.0.0: half of the requests, in `findings/autocannon-closing-server.sh`. */
const CLOSES =
  'the server ends each connection with its response (Connection: close): autocannon loses requests of such servers without counting them, so these figures say nothing about it'

export async function runHttp(request: HttpRunRequest, observer: RunObserver): Promise<HttpResult> {
  const setting = { tool: await toolNow(), machine: await machineNow() }
  const apiKey = request.apiKey ?? randomUUID()
  const host = {
    ...request,
    env: { ...request.env, ...(request.urls.length > 0 ? {} : { API_KEY: apiKey }) },
  }
  return withTarget(host, observer, async (target) => {
    refuseUnnamedHosts(target.urls, request.urls)
    const [url] = target.urls.flat()
    if (url === undefined) throw new Error('the target has no address')
    const run = randomBytes(4).toString('hex')
    observer.phase('preparing')
    const { keepsConnections } = await prepare(url, request.scenario, run, apiKey)
    const sampler = await ServerSampler.start(target)
    let samples: readonly ServerSample[] | undefined
    try {
      observer.phase(request.scenario.name, request.settings.durationSec * 1_000)
      const startedAt = new Date()
      const measured = await runLoad(request, { url, run, apiKey, stop: observer.stop })
      samples = await sampler.stop()
      return resultOf(
        {
          request,
          measured,
          samples,
          startedAt,
          problems: [...target.unexpectedExits(), ...(keepsConnections ? [] : [CLOSES])],
          interrupted: observer.stop.aborted,
        },
        setting,
      )
    } finally {
      if (samples === undefined) await sampler.stop()
    }
  })
}

async function prepare(
  url: string,
  scenario: HttpScenario,
  run: string,
  apiKey: string,
): Promise<{ keepsConnections: boolean }> {
  const first = scenario.before?.(run, apiKey)
  for (let number = 1; number <= (first?.times ?? 0); number += 1)
    if (first !== undefined) await ask(url, first.request, -number)
  const { body, keepsConnection } = await ask(url, scenario.request(run, apiKey), 0)
  if (!scenario.isRight(body)) throw new Error(`${scenario.name}: unexpected response: ${body.slice(0, 200)}`)
  return { keepsConnections: keepsConnection }
}

async function ask(
  url: string,
  { method, path, headers, body }: HttpRequest,
  number: number,
): Promise<{ body: string; keepsConnection: boolean }> {
  const response = await fetch(url + path, {
    method,
    headers,
    signal: AbortSignal.timeout(PREPARE_MS),
    ...(body === undefined ? {} : { body: body(number) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${text.slice(0, 200)}`)
  return { body: text, keepsConnection: response.headers.get('connection')?.toLowerCase() !== 'close' }
}

interface MeasuredLoad {
  counts: HttpCounts
  fromAt: number
  toAt: number
  generator: HttpResult['generator']
}

async function runLoad(
  { scenario, settings }: HttpRunRequest,
  { url, run, apiKey, stop }: { url: string; run: string; apiKey: string; stop: AbortSignal },
): Promise<MeasuredLoad> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const cpu = process.cpuUsage()
  const fromAt = nowMs()
  const counts = await runAutocannon({
    url,
    request: scenario.request(run, apiKey),
    isRight: scenario.isRight,
    settings,
    stop,
  })
  const toAt = nowMs()
  const used = process.cpuUsage(cpu)
  delay.disable()
  const generator = {
    cpuShare: (used.user + used.system) / 1_000 / (toAt - fromAt),
    eventLoopDelayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
  }
  return { counts, fromAt, toAt, generator }
}

interface ResultParts {
  request: HttpRunRequest
  measured: MeasuredLoad
  samples: readonly ServerSample[]
  startedAt: Date
  problems: readonly string[]
  interrupted: boolean
}

function resultOf(parts: ResultParts, setting: Pick<HttpResult, 'tool' | 'machine'>): HttpResult {
  const { request, measured, samples, startedAt, interrupted } = parts
  const { scenario, target, settings, shape } = request
  const { counts, fromAt, toAt, generator } = measured
  const figures = serverFigures(
    samples,
    [{ fromAt, toAt }],
    { messages: counts.answered, deliveries: 0 },
    { fromAt, toAt: fromAt, clients: 0 },
  )
  const requests = requestsOf(counts, settings)
  const invalid = [...parts.problems, ...bottleneckOf(generator)]
  return {
    document: 'http',
    version: HTTP_RESULT_VERSION,
    ...setting,
    scenario: { name: scenario.name, title: scenario.title, invariant: scenario.invariant },
    target: { name: target.name, title: target.title, ...shape },
    arguments: {
      target: target.name,
      ...shape,
      clients: settings.connections,
      rate: settings.ratePerSec,
      duration: settings.durationSec,
    },
    startedAt: startedAt.toISOString(),
    durationMs: counts.durationMs,
    requests,
    latency: { measured: summaryOf(counts.measured), corrected: summaryOf(counts.corrected) },
    server:
      figures === null
        ? null
        : {
            cpuMsByRole: figures.cpuMsByRole,
            cpuUsPerRequest: figures.cpuUsPerMessage,
            rssMaxBytes: figures.rssMaxBytes,
          },
    generator,
    checks: interrupted ? [] : checksOf(requests),
    valid: invalid.length === 0,
    invalid,
    interrupted,
  }
}

function requestsOf(
  counts: HttpCounts,
  { connections, ratePerSec, durationSec }: HttpSettings,
): HttpResult['requests'] {
  const { answered, byStatus, non2xx, mismatches, errors, timeouts, bytes, durationMs } = counts
  return {
    connections,
    askedPerSec: ratePerSec,
    due: Math.floor(ratePerSec * durationSec),
    answered,
    answeredPerSec: (answered * 1_000) / durationMs,
    byStatus,
    non2xx,
    mismatches,
    errors,
    timeouts,
    bytes,
  }
}

function checksOf(requests: HttpResult['requests']): Check[] {
  const { answered, due, askedPerSec, non2xx, mismatches, errors, timeouts } = requests
  const statuses = Object.entries(requests.byStatus).map(([status, count]) => `${status}: ${count}`)
  return [
    { name: 'every response is 2xx', ok: answered > 0 && non2xx === 0, detail: statuses.join(', ') },
    { name: 'every body is as expected', ok: mismatches === 0, detail: `${mismatches} are not` },
    {
      name: 'every request gets a response',
      ok: errors === 0 && timeouts === 0,
      detail: `${errors} errors, ${timeouts} time-outs`,
    },
    {
      name: 'the requested rate is reached',
      ok: answered >= due * MIN_RATE_SHARE,
      detail: `${answered} of ${due} due at ${askedPerSec}/s`,
    },
  ]
}

function bottleneckOf({ cpuShare, eventLoopDelayP99Ms }: HttpResult['generator']): string[] {
  return [
    ...(cpuShare >= MAX_CPU_SHARE ? [`the generator used ${Math.round(cpuShare * 100)} % of a core`] : []),
    ...(eventLoopDelayP99Ms > MAX_DELAY_MS
      ? [`the generator's event loop was ${eventLoopDelayP99Ms.toFixed(0)} ms late (p99)`]
      : []),
  ]
}
