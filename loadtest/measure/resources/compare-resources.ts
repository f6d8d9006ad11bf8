/**
 * Compares resource counts before and after a load, each with its allowed range. Counts are sums over all
 * processes of a role on a host, since clients may be distributed differently than before. Pure.
 */
import type { ProcessResources, RedisResources, ResourceCounts } from '../../model/resources.ts'
import type { Baseline } from '../../model/result.ts'
import { sumByKey, sumOf } from '../sums.ts'

type Row = Baseline['rows'][number]
type Counts = Readonly<Record<string, number>>
type Bounds = Pick<Row, 'least' | 'most'>
type Group = readonly ProcessResources[]

const MIB = 2 ** 20
/** A heap after a collection: caches fill up to their bound, and code is compiled. */
const HEAP_GROWTH = 1.1
const HEAP_SLACK_BYTES = 4 * MIB
/** Resident memory keeps much of its peak, and is fragmented. */
const RSS_GROWTH = 1.5
const RSS_SLACK_BYTES = 32 * MIB
/** Timers start and end all the time, even when idle. */
const TIMER_GROWTH = 1.1
const TIMER_SLACK = 10
/** Keys of the hosts' own work come and go. */
const EXPIRING_SLACK = 10

const atMost = (count: number): Bounds => ({ least: null, most: Math.floor(count) })
const exactly = (count: number): Bounds => ({ least: count, most: count })
const notJudged = (): Bounds => ({ least: null, most: null })
/** @param slack per process */
const grownBy =
  (growth: number, slack: number) =>
  (from: number, processes: number): Bounds =>
    atMost(from * growth + processes * slack)

export function baselineRows(
  before: ResourceCounts,
  after: ResourceCounts,
  clients: Baseline['clients'],
): Row[] {
  const groups = [...new Set([...before.processes, ...after.processes].map(groupOf))]
  return [
    ...groups.flatMap((group) => groupRows(group, before.processes, after.processes)),
    ...redisRows(before.redis, after.redis, clients),
  ]
}

export const hasReturned = ({ after, least, most }: Row): boolean =>
  (least === null || after >= least) && (most === null || after <= most)

const REDIS = 'Redis'

function groupOf({ role, host }: ProcessResources): string {
  if (role === 'redis') return REDIS
  return `${role === 'worker' ? 'workers' : role} of host ${host}`
}

interface Figure {
  what: string
  unit: Row['unit']
  /** By kind. */
  of: (held: ProcessResources) => Counts
  bounds: (from: number, processes: number) => Bounds
}

const DESCRIPTORS: Figure = {
  what: 'descriptors',
  unit: 'count',
  of: ({ descriptors }) => descriptors,
  bounds: atMost,
}
const PROCESSES: Figure = { what: 'processes', unit: 'count', of: () => ({ process: 1 }), bounds: exactly }
const MEMORY: Figure = {
  what: 'memory',
  unit: 'bytes',
  of: ({ rssBytes }) => ({ rss: rssBytes }),
  bounds: grownBy(RSS_GROWTH, RSS_SLACK_BYTES),
}

const NODE_FIGURES: readonly Figure[] = [
  PROCESSES,
  DESCRIPTORS,
  { what: 'handles', unit: 'count', of: (held) => lasting(handlesOf(held)), bounds: atMost },
  {
    what: 'timers',
    unit: 'count',
    of: (held) => timers(handlesOf(held)),
    bounds: grownBy(TIMER_GROWTH, TIMER_SLACK),
  },
  { what: 'emitters', unit: 'count', of: (held) => held.reported?.emitters ?? {}, bounds: atMost },
  { what: 'listeners', unit: 'count', of: (held) => held.reported?.listeners ?? {}, bounds: atMost },
  {
    what: 'heap',
    unit: 'bytes',
    of: (held) => ({ heap: held.reported?.heapBytes ?? 0 }),
    bounds: grownBy(HEAP_GROWTH, HEAP_SLACK_BYTES),
  },
  MEMORY,
]

/** Redis stores the messages, so its memory is not judged. */
const REDIS_FIGURES: readonly Figure[] = [PROCESSES, DESCRIPTORS, { ...MEMORY, bounds: notJudged }]

function groupRows(group: string, all: Group, allAfter: Group): Row[] {
  const before = all.filter((each) => groupOf(each) === group)
  const after = allAfter.filter((each) => groupOf(each) === group)
  const figures = group === REDIS ? REDIS_FIGURES : NODE_FIGURES
  const processKeys = new Set(before.map(({ processKey }) => processKey))
  const survivors = after.filter(({ processKey }) => processKeys.has(processKey)).length
  return [
    ...figures.map((figure) => ({ of: group, ...figureRow(figure, before, after) })),
    {
      of: group,
      what: 'processes from before the load',
      unit: 'count',
      before: before.length,
      after: survivors,
      ...notJudged(),
      changed: '',
    },
  ]
}

function figureRow({ what, unit, of, bounds }: Figure, before: Group, after: Group): Omit<Row, 'of'> {
  const [from, to] = [sumByKey(before.map(of)), sumByKey(after.map(of))]
  return {
    what,
    unit,
    before: sumOf(Object.values(from)),
    after: sumOf(Object.values(to)),
    ...bounds(sumOf(Object.values(from)), before.length),
    changed: unit === 'count' ? changes(from, to) : '',
  }
}

const handlesOf = (held: ProcessResources): Counts => held.reported?.handles ?? {}
const isTimer = (type: string): boolean => type === 'Timeout' || type === 'Immediate'
const timers = (handles: Counts): Counts => only(handles, isTimer)
/** Without requests under way, such as file reads and DNS lookups. */
const lasting = (handles: Counts): Counts => only(handles, (type) => !isTimer(type) && !type.includes('Req'))

function redisRows(
  before: RedisResources | undefined,
  after: RedisResources | undefined,
  clients: Baseline['clients'],
): Row[] {
  if (before === undefined || after === undefined) return []
  const row = (what: string, name: keyof RedisResources, bounds: (from: number) => Bounds): Row => ({
    of: REDIS,
    what,
    unit: 'count',
    before: before[name],
    after: after[name],
    ...bounds(before[name]),
    changed: '',
  })
  // Without clients, keys are not judged: the rooms' messages remain, and per-user counts of a killed host
  // expire only after a quarter of an hour.
  const isJudged = clients === 'all'
  return [
    row('persistent keys', 'persistentKeys', isJudged ? atMost : notJudged),
    row('expiring keys', 'expiringKeys', isJudged ? (from) => atMost(from + EXPIRING_SLACK) : notJudged),
    row('channels', 'channels', exactly),
    row('shard channels', 'shardChannels', exactly),
    row('patterns', 'patterns', exactly),
    row('connections', 'connections', exactly),
  ]
}

function only(counts: Counts, isWanted: (kind: string) => boolean): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([kind]) => isWanted(kind)))
}

/** Largest growth first. */
function changes(before: Counts, after: Counts): string {
  const kinds = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differences = kinds
    .map((kind) => ({ kind, by: (after[kind] ?? 0) - (before[kind] ?? 0) }))
    .filter(({ by }) => by !== 0)
    .toSorted((a, b) => b.by - a.by)
  return differences.map(({ kind, by }) => `${kind} ${by > 0 ? '+' : '−'}${Math.abs(by)}`).join(', ')
}
