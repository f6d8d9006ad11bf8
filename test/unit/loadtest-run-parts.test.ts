/** The pure parts of a run: requests, the search for the limit, allowed targets, and the timing of steps. */
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { EventTimes } from '../../loadtest/load/event-times.ts'
import type { Load, Step, WantedClient } from '../../loadtest/model/plan.ts'
import { UsageError } from '../../loadtest/run/exit-codes.ts'
import { MAX_STEPS, nextRate, type TestedRate } from '../../loadtest/run/limit/next-rate.ts'
import { refuseUnnamedHosts } from '../../loadtest/run/request/allowed-addresses.ts'
import { scenarioNamed, targetNamed } from '../../loadtest/run/request/names.ts'
import { argumentsOf, RunFlags, requestOf } from '../../loadtest/run/request/request.ts'
import { endMs, runAfterFaults, runSteps, type StepContext } from '../../loadtest/run/step-runner.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { missingPackages, requirePackages } from '../../loadtest/system/optional-packages.ts'

const GIVEN = { seed: 7, agents: 2 }

function request(scenario: string, target: string, asked: unknown = {}) {
  return requestOf(scenarioNamed(scenario), targetNamed(target), RunFlags.parse(asked), GIVEN)
}

describe('a request', () => {
  test('has the defaults of scenario and target', () => {
    const { settings, agents, kind } = request('small-rooms', 'rookery')
    expect(settings).toMatchObject({
      clients: 500,
      seed: 7,
      dialect: 'chat',
      shape: { hosts: 1, workersPerHost: 2 },
    })
    expect({ agents, kind }).toEqual({ agents: 2, kind: 'raw' })
  })

  test('overrides them, also as text', () => {
    const { settings, agents } = request('small-rooms', 'rookery', {
      clients: '3',
      agents: '8',
      hosts: '2',
      rate: '0.5',
      dialect: 'bench',
      roomSize: '3',
    })
    expect(settings).toMatchObject({ clients: 3, ratePerSec: 0.5, roomSize: 3, dialect: 'bench' })
    expect(settings.shape.hosts).toBe(2)
    expect(agents).toBe(3)
  })

  test('gives a scenario the hosts or workers that it needs', () => {
    expect(request('host-kill', 'rookery').settings.shape.hosts).toBe(2)
    expect(request('avalanche-worker', 'rookery').settings.shape.workersPerHost).toBe(2)
  })

  test.each([
    ['host-kill', 'rookery', { hosts: '1' }, /needs at least 2 hosts/],
    ['host-kill', 'one-process', {}, /at most 1 host/],
    ['worker-kills', 'one-process', {}, /at most 1 worker per host/],
    ['worker-kills', 'rookery', { workers: '1' }, /at least 2 workers per host/],
    ['small-rooms', 'sticky-cluster', { dialect: 'chat' }, /speaks bench/],
    ['small-rooms', 'bare-ws', { transport: 'polling' }, /only raw clients and the transport websocket/],
    ['small-rooms', 'bare-ws', { kind: 'stock' }, /raw clients/],
    ['small-rooms', 'url', {}, /needs --url/],
    ['small-rooms', 'rookery', { url: ['http://127.0.0.1:1'] }, /--target url/],
    ['worker-kills', 'url', { url: ['http://127.0.0.1:1'] }, /nothing is done to servers that run elsewhere/],
    ['small-rooms', 'url', { url: ['http://127.0.0.1:1'], env: ['A=1'] }, /--env is for servers/],
    ['slow-readers', 'rookery', { kind: 'stock' }, /raw clients/],
  ])('%s on %s with %j is refused', (scenario, target, asked, message) => {
    expect(() => request(scenario, target, asked)).toThrow(UsageError)
    expect(() => request(scenario, target, asked)).toThrow(message)
  })

  test.each([
    { clients: '0' },
    { clients: '1.5' },
    { clients: 'many' },
    { rate: '-1' },
    { duration: '90000' },
    { url: ['ftp://127.0.0.1'] },
    { env: ['lower=1'] },
    { textLength: '31' },
    { unknown: '1' },
  ])('refuses %j', (asked) => {
    expect(RunFlags.safeParse(asked).success).toBe(false)
  })

  test('is stored with the result so that it can be repeated', () => {
    const asked = { env: ['A=1,2', 'B=x=y'], clients: '12', roomSize: '4' }
    const first = request('small-rooms', 'rookery', asked)
    const kept = argumentsOf(first)
    const { env, ...others } = kept
    const again = request('small-rooms', 'rookery', { ...others, env: [env] })
    expect(again).toEqual(first)
    expect(again.env).toEqual({ A: '1,2', B: 'x=y' })
  })

  test('stores addresses without possible secrets', () => {
    const kept = argumentsOf(
      request('small-rooms', 'url', { url: ['http://me:secret@127.0.0.1:1/?key=secret'] }),
    )
    expect(kept['url']).toBe('http://127.0.0.1:1/')
  })
})

test('an unknown name gets a suggestion', () => {
  expect(() => scenarioNamed('smal-rooms')).toThrow(/did you mean small-rooms/)
  expect(() => targetNamed('roookery')).toThrow(/did you mean rookery/)
  expect(() => targetNamed('x')).toThrow(/there are: rookery, /)
})

describe('a run may send to', () => {
  test('this machine', () => {
    expect(() =>
      refuseUnnamedHosts([['http://127.0.0.1:1', 'http://127.0.0.2:1'], ['ws://localhost:2']], []),
    ).not.toThrow()
  })

  test('hosts that the user named, and no others', () => {
    const named = ['https://chat.example:8443/x']
    expect(() => refuseUnnamedHosts([['https://chat.example:8443']], named)).not.toThrow()
    for (const other of [
      'https://chat.example',
      'https://other.example:8443',
      'http://10.0.0.1',
      'http://127.0.0.1.example',
    ])
      expect(() => refuseUnnamedHosts([[other]], named)).toThrow(UsageError)
  })
})

function search(limit: number, first: number): TestedRate[] {
  const tested: TestedRate[] = []
  for (let rate = nextRate(tested, first); rate !== undefined; rate = nextRate(tested, first))
    tested.push({ ratePerSec: rate, held: rate <= limit })
  return tested
}

describe('the search for the limit', () => {
  test.each([
    [100, 100],
    [777, 100],
    [50, 400],
    [12_345, 100],
    [3, 100],
  ])('finds %d/s from below, within a tenth', (limit, first) => {
    const tested = search(limit, first)
    const held = Math.max(...tested.filter((one) => one.held).map(({ ratePerSec }) => ratePerSec))
    expect(held).toBeLessThanOrEqual(limit)
    expect(held).toBeGreaterThan(limit / 1.12)
    expect(tested.length).toBeLessThanOrEqual(MAX_STEPS)
  })

  test('takes steps that double, then narrows down', () => {
    expect(search(350, 100).map(({ ratePerSec }) => ratePerSec)).toEqual([100, 200, 400, 283, 336, 367])
  })

  test('ends when nothing holds, or everything', () => {
    expect(search(0, 100).every(({ held }) => !held)).toBe(true)
    expect(search(Number.POSITIVE_INFINITY, 1).length).toBe(MAX_STEPS)
  })

  test('ignores a failure below a rate that held', () => {
    const tested = [
      { ratePerSec: 100, held: false },
      { ratePerSec: 50, held: true },
      { ratePerSec: 70.7, held: true },
      { ratePerSec: 84.1, held: true },
    ]
    expect(nextRate([...tested, { ratePerSec: 60, held: false }], 100)).toBe(91.7)
  })
})

const step = (fault: 'kill-worker' | 'kill-redis'): Step => ({ do: 'fault', atMs: 0, fault, which: 0 })

describe('steps of a run', () => {
  const LOAD: Load = { durationMs: 100, ratePerSec: 10, arrivals: 'even', rampMs: 0, textLength: 32 }
  const clients = Array.from({ length: 6 }, (_, index) => ({
    index,
    host: index % 2,
    reads: index < 2 ? 'never' : 'all',
  })) as WantedClient[]

  interface Seen {
    loads: { load: Load; at: number }[]
    cuts: { moments: EventTimes; offlineMs: number }[]
    leaves: EventTimes[]
    revivals: number[]
    slow: number[]
    faults: string[]
    marks: string[]
  }

  function stageOf(changes: Partial<StepContext> = {}): { context: StepContext; seen: Seen } {
    const seen: Seen = { loads: [], cuts: [], leaves: [], revivals: [], slow: [], faults: [], marks: [] }
    const context: StepContext = {
      fleet: {
        load: (load, at) => seen.loads.push({ load, at }),
        cut: (moments, offlineMs) => seen.cuts.push({ moments, offlineMs }),
        leave: (moments) => seen.leaves.push(moments),
        slow: (at) => seen.slow.push(at),
        trackRecovery: (at) => seen.revivals.push(at),
      },
      faults: { 'kill-worker': async (which) => void seen.faults.push(`worker ${which}`) },
      clients,
      seed: 1,
      zeroAt: nowMs(),
      stop: new AbortController().signal,
      mark: (_atMs, label) => seen.marks.push(label),
      now: nowMs,
      ...changes,
    }
    return { context, seen }
  }

  test('run at their times, and select the same clients for the same seed', async () => {
    const steps: Step[] = [
      { do: 'load', atMs: 20, load: LOAD },
      { do: 'cut', atMs: 10, cut: { selection: { host: 1 }, offlineMs: 5, spreadMs: 0 } },
      { do: 'churn', atMs: 0, churn: { durationMs: 1_000, perSec: 3 } },
      { do: 'fault', atMs: 1, fault: 'kill-worker', which: 4 },
      { do: 'slow', atMs: 15 },
    ]
    const { context, seen } = stageOf()
    await runSteps(steps, context)
    expect(seen.loads).toEqual([{ load: LOAD, at: context.zeroAt + 20 }])
    const at = context.zeroAt + 10
    expect(seen.cuts).toEqual([{ moments: { clients: [1, 3, 5], at: [at, at, at] }, offlineMs: 5 }])
    expect(seen.leaves.map((moments) => moments.clients.length)).toEqual([3])
    expect(seen.faults).toEqual(['worker 4'])
    expect(seen.slow).toEqual([context.zeroAt + 15])
    expect(seen.marks.toSorted()).toEqual(['churn 3/s', 'cut 3', 'kill-worker 4', 'load 10/s', 'slow 2'])
    const again = stageOf({ zeroAt: context.zeroAt })
    await runSteps(steps, again.context)
    expect(again.seen.leaves).toEqual(seen.leaves)
  })

  test('last until the last of them is over', async () => {
    const { context } = stageOf()
    await runSteps([{ do: 'load', atMs: 0, load: LOAD }], context)
    expect(nowMs()).toBeGreaterThanOrEqual(context.zeroAt + LOAD.durationMs - 1)
    expect(endMs({ do: 'rest', atMs: 5, durationMs: 7 })).toBe(12)
    expect(endMs({ do: 'cut', atMs: 5, cut: { selection: 'all', offlineMs: 3, spreadMs: 2 } })).toBe(10)
  })

  test('extend the load for as long as a fault lasts, and check all clients from its end', async () => {
    const fault = new AbortController()
    const lasting = once(fault.signal, 'abort').then(() => undefined)
    const marks: string[] = []
    const { context, seen } = stageOf({
      faults: { 'kill-worker': () => lasting },
      mark: (_atMs, label) => {
        marks.push(label)
      },
    })
    const load = context.fleet.load
    context.fleet.load = (piece, at) => {
      load(piece, at)
      if (seen.loads.length === 2) fault.abort()
    }
    const until = await runSteps([step('kill-worker')], context, LOAD)
    expect(seen.loads.map((one) => one.load.durationMs)).toEqual([1_000, 1_000])
    const [first, second] = seen.loads.map(({ at }) => at)
    expect([second, until]).toEqual([Number(first) + 1_000, Number(first) + 2_000])
    await runAfterFaults(LOAD, context, until)
    expect(seen.loads.at(-1)).toEqual({ load: LOAD, at: until })
    expect(marks).toEqual(['kill-worker 0', 'all faults are over'])
    expect(seen.revivals).toHaveLength(1)
  })

  test('add no load when no fault lasts', async () => {
    const { context, seen } = stageOf()
    await runSteps([step('kill-worker')], context, LOAD)
    expect([seen.faults, seen.loads]).toEqual([['worker 0'], []])
  })

  test('end at once when they are stopped', async () => {
    const { context, seen } = stageOf({ stop: AbortSignal.abort() })
    await runSteps([{ do: 'load', atMs: 3_600_000, load: LOAD }], context)
    expect(seen.loads).toEqual([])
  })

  test('fail at a fault that fails, or that the target does not support', async () => {
    await expect(runSteps([step('kill-redis')], stageOf().context)).rejects.toThrow(/no kill-redis/)
    const fails = stageOf({ faults: { 'kill-worker': () => Promise.reject(new Error('it would not die')) } })
    await expect(runSteps([step('kill-worker')], fails.context)).rejects.toThrow(/would not die/)
  })
})

describe('the packages that only the load test needs', () => {
  test('are here', () => {
    expect(missingPackages()).toEqual([])
    expect(() => requirePackages()).not.toThrow()
  })

  test('are named when they are missing, or too old or new', () => {
    const versions: Record<string, string> = { autocannon: '7.15.0', 'hdr-histogram-js': '3.1.0' }
    const missing = missingPackages((name) => versions[name])
    expect(missing).toEqual(['autocannon@9', 'pure-rand@8', 'uplot@1'])
    expect(() => requirePackages(missing)).toThrow(/npm install --save-dev autocannon@9 pure-rand@8 uplot@1$/)
  })
})
