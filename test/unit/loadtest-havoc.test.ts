/** Random faults: the schedule of a seed, the recovery of clients, and the result of many seeds. */
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { RoomFollower } from '../../loadtest/agent/protocol/room-follower.ts'
import { Latencies } from '../../loadtest/agent/record/latencies.ts'
import { RecoveryTimer } from '../../loadtest/agent/record/recovery-timer.ts'
import { merged } from '../../loadtest/measure/histograms.ts'
import type { Step } from '../../loadtest/model/plan.ts'
import { lineOf, noRun, type SeedRun, totalLines, totalOf } from '../../loadtest/report/seeds.ts'
import { UsageError } from '../../loadtest/run/exit-codes.ts'
import { scenarioNamed } from '../../loadtest/run/request/names.ts'
import { seedsFrom } from '../../loadtest/run/request/seed-list.ts'
import {
  DRAIN_MS,
  faultsOf,
  HOST_FAULTS,
  MAX_OUTAGE_MS,
  REDIS_FAULTS,
  randomFaultSteps,
} from '../../loadtest/scenarios/random-faults.ts'
import { SerialQueue } from '../../loadtest/targets/serial-queue.ts'

const WITHIN_MS = 46_000
const BLOWS = [...HOST_FAULTS, ...REDIS_FAULTS]
const EMBEDDED = { shape: { hosts: 1, workersPerHost: 3 }, faults: HOST_FAULTS, rollingRestart: false }
const HOSTS = { shape: { hosts: 2, workersPerHost: 2 }, faults: BLOWS, rollingRestart: true }
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

type Fault = Extract<Step, { do: 'fault' }>

const stepsOf = (seed: number, one: typeof HOSTS | typeof EMBEDDED = HOSTS): Step[] =>
  randomFaultSteps({ seed, withinMs: WITHIN_MS, ...one })
const faults = (steps: readonly Step[]): Fault[] => steps.filter((step) => step.do === 'fault')

const ENDS: Record<string, string> = {
  'pause-worker': 'resume-worker',
  'kill-host': 'start-host',
  'kill-primary': 'start-host',
  'stop-host': 'start-host',
  'pause-host': 'resume-host',
  'kill-redis': 'start-redis',
  'terminate-redis': 'start-redis',
  'pause-redis': 'resume-redis',
  'cut-link': 'mend-link',
  'freeze-link': 'mend-link',
  'slow-link': 'mend-link',
}

/** Each held fault with the time of the step that ends it. */
function holdsOf(steps: readonly Step[]): { fault: Fault; toMs: number }[] {
  const all = faults(steps)
  return all.flatMap((fault) => {
    const ends = ENDS[fault.fault]
    if (ends === undefined) return []
    const end = all.find(
      (other) => other.fault === ends && other.which === fault.which && other.atMs > fault.atMs,
    )
    return [{ fault, toMs: end?.atMs ?? Number.POSITIVE_INFINITY }]
  })
}

describe.each([
  ['one host', EMBEDDED],
  ['two hosts over Redis', HOSTS],
] as const)('a schedule for %s', (_name, one) => {
  test('is the same for the same seed, and different for another', () => {
    for (const seed of SEEDS) expect(stepsOf(seed, one)).toEqual(stepsOf(seed, one))
    expect(new Set(SEEDS.map((seed) => JSON.stringify(stepsOf(seed, one)))).size).toBe(SEEDS.length)
  })

  test('includes every fault at every place over all seeds', () => {
    const seen = new Set(SEEDS.flatMap((seed) => faults(stepsOf(seed, one)).map(({ fault }) => fault)))
    expect(seen).toEqual(new Set(faultsOf(one.faults)))
    const killed = SEEDS.flatMap((seed) => faults(stepsOf(seed, one)))
      .filter(({ fault }) => fault === 'kill-worker')
      .map(({ which }) => which)
    expect(new Set(killed).size).toBe(one.shape.hosts * one.shape.workersPerHost)
    expect(SEEDS.some((seed) => stepsOf(seed, one).some((step) => step.do === 'cut'))).toBe(true)
  })

  test('restores what is down, frozen or cut off soon enough, and before the end', () => {
    for (const seed of SEEDS) {
      const steps = stepsOf(seed, one)
      for (const { fault, toMs } of holdsOf(steps)) {
        expect(toMs - fault.atMs).toBeLessThanOrEqual(MAX_OUTAGE_MS + DRAIN_MS)
        expect(toMs).toBeLessThanOrEqual(WITHIN_MS)
      }
      for (const { atMs } of steps) expect(atMs).toBeLessThanOrEqual(WITHIN_MS)
      expect(steps.length).toBeGreaterThan(10)
    }
  })

  test('does nothing to a host, a worker or a link during a fault of it', () => {
    for (const seed of SEEDS) {
      const steps = stepsOf(seed, one)
      for (const { fault, toMs } of holdsOf(steps)) {
        const part = fault.fault.split('-')[1]
        const within = faults(steps).filter(
          (other) => other.which === fault.which && other.atMs > fault.atMs && other.atMs < toMs,
        )
        expect(within.filter((other) => other.fault.split('-')[1] === part && other.fault in ENDS)).toEqual(
          [],
        )
      }
    }
  })

  test('lets a fault overlap another, or the recovery from it', () => {
    for (const seed of SEEDS) {
      const steps = stepsOf(seed, one)
      const moments = steps.map(({ atMs }) => atMs)
      const gaps = moments.slice(1).map((atMs, place) => atMs - (moments[place] ?? 0))
      expect(gaps.filter((gapMs) => gapMs < 2_000).length).toBeGreaterThan(0)
    }
  })

  test('never keeps a whole cluster down for longer than one host may be', () => {
    for (const seed of SEEDS) {
      const down = holdsOf(stepsOf(seed, one)).filter(({ fault }) => /-(host|primary)$/.test(fault.fault))
      for (const { fault, toMs } of down) {
        const others = down.filter((other) => other.fault.which !== fault.which)
        const both = others.map(
          (other) => Math.min(toMs, other.toMs) - Math.max(fault.atMs, other.fault.atMs),
        )
        for (const ms of both) expect(ms).toBeLessThanOrEqual(MAX_OUTAGE_MS + DRAIN_MS)
      }
    }
  })
})

test('queued work runs in order; a failure blocks nobody', async () => {
  const turns = new SerialQueue()
  const done: string[] = []
  const stopping = new AbortController()
  const first = turns.run(async () => {
    await once(stopping.signal, 'abort')
    done.push('stop')
    throw new Error('it would not stop')
  })
  const second = turns.run(async () => void done.push('start'))
  const passed = turns.idle().then(() => done.push('passed'))
  setImmediate(() => stopping.abort())
  await expect(first).rejects.toThrow('would not stop')
  await second
  await passed
  expect(done).toEqual(['stop', 'start', 'passed'])
})

test('a client is served again when it got an ack and a delivery of messages that were sent since', () => {
  const latencies = new Latencies()
  const recovery = new RecoveryTimer(latencies)
  const told = () => merged([latencies.take()])
  recovery.acked(5, 6)
  recovery.shown(5, 6)
  expect(told().totalCount).toBe(0)
  recovery.begin(100)
  recovery.acked(99, 130)
  recovery.shown(101, 140)
  recovery.shown(102, 150)
  expect(told().totalCount).toBe(0)
  recovery.acked(Number.NaN, 155)
  recovery.acked(103, 160)
  recovery.acked(104, 170)
  expect(told().totalCount).toBe(1)
})

const entry = (seq: number) => ({ seq, id: `id-${seq}`, text: 'text' })
const page = (from: number, head: number) => ({
  epoch: 'a',
  head,
  entries: Array.from({ length: head - from + 1 }, (_, nth) => entry(from + nth)),
  more: false,
  reset: false,
})

function joined(requests: number): number[] {
  const shown: number[] = []
  const follower = new RoomFollower({ begin: () => undefined, show: ({ seq }) => shown.push(seq) })
  follower.joinRequested()
  follower.joined(page(1, 1))
  follower.disconnected()
  for (let nth = 0; nth < requests; nth += 1) follower.joinRequested()
  follower.live(entry(2))
  follower.live(entry(4))
  follower.joined(page(2, 3))
  return shown
}

describe('a client that requests another join', () => {
  test('takes live messages of the meantime from the page, and nothing twice', () => {
    expect(joined(2)).toEqual([2, 3, 4])
  })

  test('counts a duplicate of the server when the first join delivers a message early and again', () => {
    expect(joined(1)).toEqual([2, 3, 2, 4])
  })
})

const run = (seed: number, standing: SeedRun['standing'], reasons: string[]): SeedRun => ({
  seed,
  standing,
  reasons,
  sums: {
    sent: 10,
    acked: 9,
    delivered: 40,
    lost: reasons.length,
    doubled: 0,
    outOfOrder: 0,
    phantom: 0,
    faults: { 'kill-worker': 2, cut: seed },
  },
  servedAfterMs: 1_234,
  loadAverage: 3.21,
})

describe('many seeds', () => {
  const havoc = scenarioNamed('havoc')

  test.each([
    ['1..4', [1, 2, 3, 4]],
    ['7', [7]],
    ['3,17,1..3', [3, 17, 1, 2]],
  ])('%s', (words, seeds) => {
    expect(seedsFrom(words, havoc)).toEqual(seeds)
  })

  test.each(['', 'x', '4..1', '1..', '-1', '1..1001', '1..99999999999'])("'%s' is refused", (words) => {
    expect(() => seedsFrom(words, havoc)).toThrow(UsageError)
  })

  test('with a known defect have the name `regression`', () => {
    expect(seedsFrom('regression', { ...havoc, regressionSeeds: [8, 14] })).toEqual([8, 14])
    expect(() => seedsFrom('regression', scenarioNamed('small-rooms'))).toThrow(/no seeds/)
  })

  test('are printed one per line, with a sum', () => {
    const runs = [run(1, 'passed', []), run(2, 'failed', ['1 delivery lost']), noRun(3, 'it never came up')]
    expect(totalOf(runs)).toMatchObject({
      sent: 20,
      acked: 18,
      lost: 1,
      faults: { 'kill-worker': 4, cut: 3 },
    })
    expect(lineOf(run(1, 'passed', []))).toMatch(
      /^PASSED {2}seed 1 · 3 faults .* served 1\.2 s .* load 3\.2$/,
    )
    expect(lineOf(run(2, 'failed', ['1 delivery lost']))).toMatch(/^FAILED [^]*\n +1 delivery lost$/)
    expect(totalLines(runs).at(-1)).toBe('Not passed: 2, 3')
    expect(totalLines([run(1, 'passed', [])]).at(-1)).toBe('All passed.')
  })
})
