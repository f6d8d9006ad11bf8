/** Every scenario makes a valid plan, and its checks fail when what they name does not hold. */
import { describe, expect, test } from 'vitest'
import { guestAuth, inRunRooms } from '../../loadtest/load/identities.ts'
import { type Baseline, LatencySummary, type Second } from '../../loadtest/model/result.ts'
import type { Scenario, ScenarioSettings } from '../../loadtest/model/scenario.ts'
import type { UncheckedResult } from '../../loadtest/scenarios/checks.ts'
import { SCENARIOS } from '../../loadtest/scenarios/index.ts'
import { guestId } from '../../src/chat/auth/guest.ts'
import { chatRoom } from '../../src/wire/chat.ts'
import { sampleVerdict } from '../harness/loadtest/results.ts'

const ONE_HOST = { hosts: 1, workersPerHost: 2 }
const TWO_HOSTS = { hosts: 2, workersPerHost: 2 }

function settingsOf(scenario: Scenario, changes: Partial<ScenarioSettings> = {}): ScenarioSettings {
  const { kind: _kind, ...defaults } = scenario.defaults
  return { ...defaults, seed: 1, shape: TWO_HOSTS, dialect: 'chat', ...changes }
}

function named(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`)
  return scenario
}

const planOf = (name: string, changes: Partial<ScenarioSettings> = {}) =>
  named(name).plan(settingsOf(named(name), changes))

test('the requested scenarios exist, each with its own name', () => {
  const names = SCENARIOS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual([
    'connect-storm',
    'idle-crowd',
    'big-room',
    'small-rooms',
    'many-rooms',
    'direct-messages',
    'polling-crowd',
    'churn',
    'jitter',
    'avalanche',
    'avalanche-worker',
    'rolling-reload',
    'worker-kills',
    'host-kill',
    'redis-restart',
    'havoc',
    'havoc-hosts',
    'slow-readers',
    'soak',
    'subscribers-10k',
    'rooms-10x100',
  ])
})

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
  test.each([ONE_HOST, TWO_HOSTS])(
    'has the requested number of clients, each in its place, on $hosts hosts',
    (shape) => {
      for (const clients of [1, 7, scenario.defaults.clients]) {
        const plan = scenario.plan(settingsOf(scenario, { shape, clients }))
        expect(plan.clients.map(({ index }) => index)).toEqual(
          Array.from({ length: clients }, (_, index) => index),
        )
        expect(plan.clients.every(({ host }) => host < shape.hosts)).toBe(true)
        expect(new Set(plan.clients.map(({ host }) => host)).size).toBe(Math.min(shape.hosts, clients))
        expect(plan.clients.some(({ sends }) => sends)).toBe(true)
      }
    },
  )

  test('names rooms that the chat accepts, and none twice for one client', () => {
    for (const { rooms } of inRunRooms(scenario.plan(settingsOf(scenario)).clients, 'deadbeef')) {
      expect(rooms.length).toBeGreaterThan(0)
      expect(new Set(rooms).size).toBe(rooms.length)
      expect(rooms.filter((room) => !chatRoom.safeParse(room).success)).toEqual([])
    }
  })

  test('uses exactly what it declares as needs', () => {
    const { steps } = scenario.plan(settingsOf(scenario))
    const faults = steps.flatMap((step) => (step.do === 'fault' ? [step.fault] : []))
    if (scenario.name.startsWith('havoc')) expect(scenario.needs).toEqual(expect.arrayContaining(faults))
    else if (scenario.wants !== undefined) expect(scenario.wants).toEqual(expect.arrayContaining(faults))
    else expect(new Set(faults)).toEqual(new Set(scenario.needs))
  })

  test('targets existing hosts and workers', () => {
    for (const shape of [TWO_HOSTS, { hosts: 3, workersPerHost: 1 }]) {
      for (const step of scenario.plan(settingsOf(scenario, { shape })).steps) {
        if (step.do !== 'fault') continue
        const count = step.fault.endsWith('worker') ? shape.hosts * shape.workersPerHost : shape.hosts
        expect(step.which).toBeLessThan(count)
      }
    }
  })

  test('sends something, and starts everything within its duration', () => {
    const settings = settingsOf(scenario)
    const { steps } = scenario.plan(settings)
    expect(steps.some((step) => step.do === 'load')).toBe(true)
    for (const step of steps) expect(step.atMs).toBeLessThanOrEqual(settings.durationSec * 1_000)
  })

  test('fails a run in which nobody joined and nothing arrived', () => {
    const settings = settingsOf(scenario)
    expect(scenario.checks(nothingHappened(settings), settings).some(({ ok }) => !ok)).toBe(true)
    expect(scenario.checks(allWell(settings), settings).filter(({ ok }) => !ok)).toEqual([])
  })

  test('detects a client that never joined', () => {
    const settings = settingsOf(scenario)
    const well = allWell(settings)
    const clients = { ...well.clients, joined: settings.clients - 1 }
    expect(scenario.checks({ ...well, clients }, settings).some(({ ok }) => !ok)).toBe(true)
  })
})

test('rooms have the requested size, and their members are on different hosts', () => {
  const { clients } = planOf('small-rooms', { clients: 12, roomSize: 5 })
  const members = ['room-0', 'room-1', 'room-2'].map((room) =>
    clients.filter(({ rooms }) => rooms.includes(room)),
  )
  expect(members.map((room) => room.length)).toEqual([5, 5, 2])
  for (const room of members) expect(new Set(room.map(({ host }) => host)).size).toBe(2)
})

test('many rooms each have the requested size, whatever the number of clients', () => {
  for (const clients of [40, 200]) {
    const sizes = new Map<string, number>()
    for (const { rooms } of planOf('many-rooms', { clients, roomSize: 10 }).clients) {
      expect(rooms.length).toBe(20)
      for (const room of rooms) sizes.set(room, (sizes.get(room) ?? 0) + 1)
    }
    expect([...new Set(sizes.values())]).toEqual([10])
  }
})

const directRoomsOf = (changes: Partial<ScenarioSettings>) =>
  inRunRooms(planOf('direct-messages', { clients: 5, ...changes }).clients, 'deadbeef').map(
    ({ rooms }) => rooms,
  )

describe('direct messages', () => {
  test('use the chat’s own direct rooms of two users, who are identified by their keys', () => {
    const [first = [], partner, third, fourth, last] = directRoomsOf({ dialect: 'chat' })
    expect(first).toEqual(partner)
    expect(third).toEqual(fourth)
    const ids = [0, 1].map((index) => guestId(guestAuth('deadbeef', index).key)).toSorted()
    expect(first).toEqual([`dm:${ids.join(':')}`])
    const own = guestId(guestAuth('deadbeef', 4).key)
    expect(last).toEqual([`dm:${own}:${own}`])
  })

  test('use rooms of two where direct rooms do not exist', () => {
    expect(directRoomsOf({ dialect: 'bench' }).flat()).toEqual(
      [0, 0, 1, 1, 2].map((pair) => `deadbeef-pair-${pair}`),
    )
  })
})

test('the jitter is 120 broadcasts at 2/s, and each client is cut once in 15 s for 2 s', () => {
  const { steps } = planOf('jitter')
  const loads = steps.flatMap((step) => (step.do === 'load' ? [step.load] : []))
  expect(loads).toMatchObject([{ ratePerSec: 2, durationMs: 60_000 }])
  const cuts = steps.flatMap((step) => (step.do === 'cut' ? [step] : []))
  expect(cuts.map(({ atMs }) => atMs)).toEqual([0, 15_000, 30_000, 45_000])
  for (const { cut } of cuts) {
    expect(cut).toMatchObject({ selection: 'all', offlineMs: 2_000 })
    expect(cut.spreadMs + cut.offlineMs).toBeLessThanOrEqual(15_000)
  }
})

test('10,000 subscribers receive 100 messages of one publisher', () => {
  const plan = planOf('subscribers-10k')
  expect(plan.clients.length).toBe(10_000)
  expect(plan.clients.filter(({ sends }) => sends).length).toBe(1)
  expect(new Set(plan.clients.flatMap(({ rooms }) => rooms)).size).toBe(1)
  expect(plan.steps).toMatchObject([{ do: 'load', load: { ratePerSec: 100, durationMs: 1_000 } }])
})

test('10 rooms have 100 clients, each sending 2 messages per second', () => {
  const plan = planOf('rooms-10x100')
  expect(new Set(plan.clients.flatMap(({ rooms }) => rooms)).size).toBe(10)
  expect(plan.clients.length * 2).toBe(named('rooms-10x100').defaults.ratePerSec)
})

test('slow readers do not send, and are a tenth', () => {
  const { clients } = planOf('slow-readers')
  const slow = clients.filter(({ reads }) => reads === 'never')
  expect(slow.length).toBe(clients.length / 10)
  expect(slow.some(({ sends }) => sends)).toBe(false)
})

test('an avalanche cuts all clients of one host and no others', () => {
  const cut = planOf('avalanche').steps.find((step) => step.do === 'cut')
  expect(cut).toMatchObject({ cut: { selection: { host: 0 }, spreadMs: 0 } })
})

const HELD = 'with all clients joined, resource counts return to what they were'
const HELD_BY_NOBODY = 'without clients, resource counts return to what they were'

describe('checks detect what they are for', () => {
  const cases: [string, string, (well: UncheckedResult) => UncheckedResult][] = [
    [
      'connect-storm',
      'every client connects at the first attempt',
      (well) => ({ ...well, connectErrors: { timeout: 1 } }),
    ],
    ['small-rooms', 'no connection ends unexpectedly', (well) => withLast(well, { disconnects: 1 })],
    ['small-rooms', 'every send is acked', (well) => withVerdict(well, { acked: 99, refused: 1 })],
    ['small-rooms', 'every send is acked', (well) => withVerdict(well, { acked: 99, unanswered: 1 })],
    ['small-rooms', 'every send is acked', (well) => withLast(well, { due: 1 })],
    [
      'small-rooms',
      'messages were expected and delivered',
      (well) => withVerdict(well, { expected: 0, delivered: 0 }),
    ],
    ['worker-kills', 'all clients are live at the end', (well) => withLast(well, { joined: 1 })],
    ['worker-kills', 'disconnected clients reconnect', (well) => withBack(well, 0)],
    ['avalanche', 'disconnected clients reconnect', (well) => withBack(well, well.clients.asked / 2 - 1)],
    ['jitter', 'disconnected clients reconnect', (well) => withBack(well, well.clients.asked - 1)],
    ['host-kill', 'other connections stay open', (well) => withAway(well, [1, 0])],
    [
      'avalanche-worker',
      'other connections stay open',
      (well) => withAway(well, [(well.clients.asked * 3) / 8 + 1, 0]),
    ],
    ['redis-restart', 'no connection ends unexpectedly', (well) => withLast(well, { disconnects: 1 })],
    ['slow-readers', 'the other clients are served as before', (well) => withLateSeconds(well, 201)],
    [
      'idle-crowd',
      'the memory per connection is measured',
      (well) => withServer(well, { rssPerClientBytes: null }),
    ],
    ['soak', HELD, (well) => withBaselines(well, [])],
    ['soak', HELD, (well) => withBaselines(well, [baselineOf('all', 11), baselineOf('none', 10)])],
    ['soak', HELD_BY_NOBODY, (well) => withBaselines(well, [baselineOf('all', 10), baselineOf('none', 11)])],
    ['soak', 'disconnected clients reconnect', (well) => withBack(well, 0)],
    ['soak', 'all clients are live at the end', (well) => withLast(well, { joined: 1 })],
  ]

  test.each(cases)('%s: %s', (name, check, spoil) => {
    const settings = settingsOf(named(name))
    const judged = (result: UncheckedResult) =>
      named(name)
        .checks(result, settings)
        .find((candidate) => candidate.name === check)?.ok
    expect(judged(allWell(settings))).toBe(true)
    expect(judged(spoil(allWell(settings)))).toBe(false)
  })
})

function baselineOf(clients: Baseline['clients'], after: number): Baseline {
  const row = { of: 'workers of host 0', what: 'listeners', unit: 'count', changed: '' } as const
  return { clients, waitedMs: 1, rows: [{ ...row, before: 10, after, least: null, most: 10 }] }
}

const withBaselines = (well: UncheckedResult, baselines: Baseline[]): UncheckedResult => ({
  ...well,
  baselines,
})

test('a count that has not returned is reported with its values', () => {
  const settings = settingsOf(named('soak'))
  const checks = named('soak').checks(withBaselines(allWell(settings), [baselineOf('all', 12)]), settings)
  expect(checks.find(({ name }) => name === HELD)?.detail).toBe('listeners of workers of host 0: 10 → 12')
})

test('servers that run elsewhere are not checked for returned counts', () => {
  const settings = settingsOf(named('soak'))
  const elsewhere = { ...withBaselines(allWell(settings), []), server: null }
  const checks = named('soak').checks(elsewhere, settings)
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks.find(({ name }) => name === HELD)?.detail).toMatch(/not measured/)
})

function withLast(well: UncheckedResult, changes: Partial<Second>): UncheckedResult {
  const last = well.timeline.at(-1)
  return last === undefined
    ? well
    : { ...well, timeline: [...well.timeline.slice(0, -1), { ...last, ...changes }] }
}

const withAway = (well: UncheckedResult, away: number[]): UncheckedResult => ({
  ...well,
  clients: { ...well.clients, away },
})

const withVerdict = (
  well: UncheckedResult,
  changes: Partial<UncheckedResult['verdict']>,
): UncheckedResult => ({
  ...well,
  verdict: { ...well.verdict, ...changes },
})

const withBack = (well: UncheckedResult, count: number): UncheckedResult => ({
  ...well,
  latency: { ...well.latency, back: { ...well.latency.back, count } },
})

const withLateSeconds = (well: UncheckedResult, deliveryP99Ms: number): UncheckedResult => ({
  ...well,
  timeline: well.timeline.map((each) => (each.atMs > 15_000 ? { ...each, deliveryP99Ms } : each)),
})

function withServer(
  well: UncheckedResult,
  changes: Partial<NonNullable<UncheckedResult['server']>>,
): UncheckedResult {
  return well.server === null ? well : { ...well, server: { ...well.server, ...changes } }
}

function latencyOf(count: number): LatencySummary {
  const ms = count === 0 ? 0 : 5
  return LatencySummary.parse({
    count,
    minMs: ms,
    meanMs: ms,
    p50Ms: ms,
    p90Ms: ms,
    p99Ms: ms,
    p999Ms: ms,
    maxMs: ms,
    encoded: '',
  })
}

function second(atMs: number, due: number, joined: number): Second {
  return {
    atMs,
    due,
    sent: due,
    acked: due,
    refused: 0,
    delivered: due,
    connected: joined,
    joined,
    disconnects: 0,
    deliveryP50Ms: 5,
    deliveryP99Ms: 5,
    deliveryMaxMs: 5,
    cpuCores: {},
    fleetCpuCores: 0,
    rssBytes: { worker: 1e8 },
    eventLoopDelayP99Ms: null,
    redisBytesOut: null,
  }
}

function resultOf(settings: ScenarioSettings, joined: number, messages: number): UncheckedResult {
  const latency = latencyOf(messages)
  return {
    version: 1,
    tool: { version: '0.0.0', commit: null },
    scenario: { name: 'x', title: 'x', invariant: 'x' },
    target: { name: 'x', title: 'x', ...settings.shape },
    dialect: 'chat',
    kind: 'raw',
    arguments: {},
    seed: 1,
    machine: {
      cpu: '',
      cores: 2,
      memoryBytes: 1,
      os: '',
      node: '',
      packages: {},
      redis: null,
      loadAverage: 0,
    },
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 1,
    clients: { asked: settings.clients, joined, perAgent: [settings.clients], away: [] },
    latency: { delivery: latency, ack: latency, connect: latency, back: latencyOf(joined) },
    revival: latencyOf(joined),
    timeline: Array.from({ length: 32 }, (_, nth) => ({
      ...second(1_000 * (nth + 1), nth === 0 ? messages : 0, joined),
      delivered: messages,
    })),
    marks: [],
    refusals: {},
    connectErrors: {},
    server: {
      cpuMsByRole: {},
      cpuUsPerMessage: null,
      cpuUsPerDelivery: null,
      rssMaxBytes: 1,
      rssPerClientBytes: 30_000,
      eventLoopDelayP99Ms: null,
      redisBytesOut: null,
    },
    baselines: [baselineOf('all', 10), baselineOf('none', 10)],
    generator: { agents: [] },
    verdict: sampleVerdict({
      sent: messages,
      acked: messages,
      expected: messages,
      delivered: messages,
    }),
    valid: true,
    invalid: [],
    interrupted: false,
    steps: null,
  }
}

const allWell = (settings: ScenarioSettings): UncheckedResult => resultOf(settings, settings.clients, 100)
const nothingHappened = (settings: ScenarioSettings): UncheckedResult => resultOf(settings, 0, 0)
