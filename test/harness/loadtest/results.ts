/**
 * Results of imaginary runs, for code that shows and compares them: clients connect for 5 s, a minute of load
 * follows, and a worker is killed in it. All numbers are derived from the seed.
 */
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { LatencySummary, RunResult, Second, Verdict } from '../../../loadtest/model/result.ts'

export interface Imagined {
  seed?: number
  target?: string
  /** Multiplies latencies and the servers' CPU time. */
  slowness?: number
  seconds?: number
  /** Further differences. */
  changes?: Partial<RunResult>
}

const CONNECTING_SEC = 5
const KILL_AT_SEC = 20
const CLIENTS = 1_000
const RATE = 200
const MEMBERS = 10
const MIB = 1_048_576

type Random = () => number

export function imaginedResult(imagined: Imagined = {}): RunResult {
  const { seed = 1, target = 'rookery', slowness = 1, seconds = 60, changes = {} } = imagined
  const generator = xoroshiro128plus(seed)
  const random: Random = () => uniformFloat64(generator)
  const sent = (seconds - 4) * RATE
  const delivered = sent * MEMBERS
  return {
    version: 1,
    tool: { version: '0.1.0', commit: '1b848a7c0ffee' },
    scenario: {
      name: 'worker-kill',
      title: 'Many small rooms, and a worker is killed while they talk',
      invariant: 'Nothing that was acked is lost, and the clients of other workers notice nothing',
    },
    target: { name: target, title: `${target}, one host with two workers`, hosts: 1, workersPerHost: 2 },
    dialect: 'bench',
    kind: 'raw',
    arguments: { clients: CLIENTS, rate: RATE, duration: seconds, roomSize: MEMBERS, target, find: false },
    seed,
    machine: imaginedMachine(),
    startedAt: '2026-11-20T09:30:00.000Z',
    durationMs: (seconds + CONNECTING_SEC + 3) * 1_000,
    clients: { asked: CLIENTS, joined: CLIENTS, perAgent: [334, 333, 333], away: [CLIENTS / 2] },
    latency: {
      delivery: latencies(delivered, 1.6 * slowness, random),
      ack: latencies(sent, 1.1 * slowness, random),
      connect: latencies(CLIENTS, 9 * slowness, random),
      back: latencies(CLIENTS / 2, 140 * slowness, random),
    },
    timeline: timelineOf(seconds, slowness, random),
    marks: [
      { atMs: 2_000, label: `load: ${RATE}/s` },
      { atMs: KILL_AT_SEC * 1_000, label: 'kill-worker 1' },
    ],
    refusals: {},
    connectErrors: { 'connection refused': 3 },
    server: {
      cpuMsByRole: { primary: 2_900 * slowness, worker: 9_400 * slowness },
      cpuUsPerMessage: 1_098 * slowness * (0.97 + random() * 0.06),
      cpuUsPerDelivery: 109.8 * slowness * (0.97 + random() * 0.06),
      rssMaxBytes: (260 + 4 * random()) * MIB,
      rssPerClientBytes: 31_400 + 400 * random(),
      eventLoopDelayP99Ms: 11.9 * slowness,
      redisBytesOut: null,
    },
    generator: { agents: [334, 333, 333].map((clients) => imaginedAgent(clients, random)) },
    verdict: sampleVerdict({ sent, acked: sent, expected: delivered, delivered }),
    checks: [
      { name: 'all clients joined', ok: true, detail: '1,000 of 1,000' },
      { name: 'back within 5 s', ok: true, detail: 'the last after 1.4 s' },
    ],
    valid: true,
    invalid: [],
    interrupted: false,
    steps: null,
    ...changes,
  }
}

/** An audit's counts without defects. */
export const NO_DEFECTS = {
  lost: 0,
  lostWhileAway: 0,
  doubled: 0,
  outOfOrder: 0,
  ordersDiffer: 0,
  phantom: 0,
  shownUnacked: 0,
}

/** A verdict without defects, apart from `changes`. */
export function sampleVerdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    ok: true,
    due: changes.sent ?? 0,
    sent: 0,
    acked: 0,
    refused: 0,
    unanswered: 0,
    expected: 0,
    delivered: 0,
    ...NO_DEFECTS,
    overflowed: false,
    examples: [],
    ...changes,
  }
}

/** A run whose audit and one check fail. */
export function failedResult(imagined: Imagined = {}): RunResult {
  const found = { lost: 37, lostWhileAway: 30, doubled: 2, delivered: 111_963, expected: 112_000 }
  const examples = [
    'message k3x9-17-40 (room 4, acked at 20.113 s) never came to client 231, who was there',
    'message k3x9-80-2 (room 9) came to client 88 twice',
  ]
  const verdict = sampleVerdict({ ok: false, sent: 11_200, acked: 11_200, ...found, examples })
  const checks = [
    { name: 'all clients joined', ok: true, detail: '1,000 of 1,000' },
    { name: 'back within 5 s', ok: false, detail: 'the last after 11.2 s' },
  ]
  return imaginedResult({ ...imagined, changes: { verdict, checks, ...imagined.changes } })
}

/** A run in which the generator could not keep up. */
export function invalidResult(imagined: Imagined = {}): RunResult {
  const agents = [500, 500].map((clients) => ({
    clients,
    cpuShare: 0.98,
    eventLoopDelayP99Ms: 184,
    lateMaxMs: 912,
  }))
  const invalid = [
    'the generator was the bottleneck: process 0 used 98 % of its core',
    'sends were made up to 912 ms late',
  ]
  return imaginedResult({
    ...imagined,
    changes: { valid: false, invalid, generator: { agents }, ...imagined.changes },
  })
}

/** A long-tailed distribution, as latencies (ms) have it. */
function latencies(count: number, medianMs: number, random: Random): LatencySummary {
  const values = Array.from({ length: count }, () => medianMs * Math.exp(normal(random) * 0.45))
  return summaryOf(values.map((value, index) => (index % 997 === 3 ? value * 40 : value)))
}

/** @param values in milliseconds */
export function summaryOf(values: readonly number[]): LatencySummary {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  })
  for (const value of values) histogram.recordValue(Math.max(1, Math.round(value * 1_000)))
  const at = (percentile: number): number =>
    Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1_000
  return {
    count: values.length,
    minMs: at(0),
    meanMs: histogram.mean / 1_000,
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: histogram.maxValue / 1_000,
    encoded: encodeIntoCompressedBase64(histogram),
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function imaginedMachine(): RunResult['machine'] {
  return {
    cpu: 'AMD EPYC 7763 64-Core Processor',
    cores: 2,
    memoryBytes: 8_192 * MIB,
    os: 'Linux 6.1.0 x64',
    node: 'v20.20.0',
    packages: { 'socket.io': '4.8.4', '@socket.io/cluster-adapter': '0.3.0', ws: '8.23.0' },
    redis: null,
    loadAverage: 0.4,
  }
}

function imaginedAgent(clients: number, random: Random): RunResult['generator']['agents'][number] {
  return {
    clients,
    cpuShare: 0.3 + random() * 0.1,
    eventLoopDelayP99Ms: 11 + random(),
    lateMaxMs: 4 + random() * 3,
  }
}

function timelineOf(seconds: number, slowness: number, random: Random): Second[] {
  return Array.from({ length: CONNECTING_SEC + seconds }, (_, index) => {
    const end = index + 1 - CONNECTING_SEC
    return end <= 0 ? connectingSecond(index, random) : talkingSecond(end, { seconds, slowness, random })
  })
}

function connectingSecond(index: number, random: Random): Second {
  const connected = Math.min(CLIENTS, Math.round((CLIENTS * (index + 1)) / CONNECTING_SEC))
  return {
    ...quiet(random),
    atMs: (index + 1 - CONNECTING_SEC) * 1_000,
    connected,
    joined: Math.max(0, connected - 12),
    cpuCores: { primary: 0.2 + random() * 0.05, worker: 0.7 + random() * 0.1 },
    rssBytes: { primary: 96 * MIB, worker: (110 + index * 8) * MIB },
  }
}

function talkingSecond(
  end: number,
  { seconds, slowness, random }: { seconds: number; slowness: number; random: Random },
): Second {
  const talking = end > 2 && end <= seconds - 2
  const struck = end > KILL_AT_SEC && end <= KILL_AT_SEC + 3
  const back = struck ? (end - KILL_AT_SEC) / 3 : 1
  const sent = talking ? RATE : 0
  const medianMs = slowness * (1.5 + random() * 0.4) * (struck ? 30 : 1)
  return {
    ...quiet(random),
    atMs: end * 1_000,
    due: sent,
    sent,
    acked: sent,
    delivered: Math.round(sent * MEMBERS * (struck ? 0.4 + back / 2 : 1)),
    connected: Math.round(CLIENTS * (0.5 + back / 2)),
    joined: Math.round(CLIENTS * (0.45 + (back * 0.55) / 1)),
    disconnects: end === KILL_AT_SEC + 1 ? CLIENTS / 2 : 0,
    deliveryP50Ms: talking ? medianMs : 0,
    deliveryP99Ms: talking ? medianMs * 4 * (0.8 + random() * 0.6) : 0,
    deliveryMaxMs: talking ? medianMs * 9 * (0.8 + random()) : 0,
    cpuCores: talking
      ? { primary: slowness * (0.05 + random() * 0.02), worker: slowness * (0.16 + random() * 0.03) }
      : { primary: 0.004, worker: 0.01 },
    rssBytes: { primary: 104 * MIB, worker: (struck ? 96 : 150 + random() * 3) * MIB },
    eventLoopDelayP99Ms: slowness * (10.6 + random() * 1.4) * (struck ? 2 : 1),
  }
}

function quiet(random: Random): Second {
  return {
    atMs: 0,
    due: 0,
    sent: 0,
    acked: 0,
    refused: 0,
    delivered: 0,
    connected: 0,
    joined: 0,
    disconnects: 0,
    deliveryP50Ms: 0,
    deliveryP99Ms: 0,
    deliveryMaxMs: 0,
    cpuCores: {},
    fleetCpuCores: 0.25 + random() * 0.1,
    rssBytes: {},
    eventLoopDelayP99Ms: null,
    redisBytesOut: null,
  }
}
