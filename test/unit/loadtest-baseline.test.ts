/** Resource counts before and after a load: allowed differences pass, and growth is found. */
import { describe, expect, test } from 'vitest'
import { baselineRows, isBack } from '../../loadtest/measure/resources/compare-resources.ts'
import type {
  ProcessResources,
  RedisResources,
  ReportedResources,
  ResourceCounts,
} from '../../loadtest/model/resources.ts'
import type { Baseline } from '../../loadtest/model/result.ts'

const MIB = 2 ** 20

type Row = Baseline['rows'][number]

const reportedOf = (changes: Partial<ReportedResources> = {}): ReportedResources => ({
  at: 1,
  heapBytes: 20 * MIB,
  externalBytes: MIB,
  handles: { TCPSocketWrap: 10, PipeWrap: 2, Timeout: 10, FSReqCallback: 3 },
  emitters: { Socket: 30, Redis: 2 },
  listeners: { Socket: 300, Redis: 12 },
  ...changes,
})

const processOf = (changes: Partial<ProcessResources> = {}): ProcessResources => ({
  processKey: '100 1',
  role: 'worker',
  host: 0,
  rssBytes: 40 * MIB,
  descriptors: { 'socket:[n]': 12, '/data/data.mdb': 1 },
  reported: reportedOf(),
  ...changes,
})

const REDIS: RedisResources = {
  persistentKeys: 100,
  expiringKeys: 20,
  channels: 1,
  shardChannels: 60,
  patterns: 0,
  connections: 4,
}
const REDIS_SERVER = processOf({ processKey: '7 1', role: 'redis', reported: undefined })
const BEFORE: ResourceCounts = { processes: [processOf(), REDIS_SERVER], redis: REDIS }

/** Its other workers and its Redis are as before. */
const withWorker = (changes: Partial<ProcessResources>): ResourceCounts => ({
  ...BEFORE,
  processes: [processOf(changes), REDIS_SERVER],
})
const withTold = (changes: Partial<ReportedResources>): ResourceCounts =>
  withWorker({ reported: reportedOf(changes) })
const withRedis = (changes: Partial<RedisResources>): ResourceCounts => ({
  ...BEFORE,
  redis: { ...REDIS, ...changes },
})

const astray = (after: ResourceCounts, clients: Baseline['clients'] = 'all', before = BEFORE): Row[] =>
  baselineRows(before, after, clients).filter((row) => !isBack(row))
const names = (rows: readonly Row[]): string[] => rows.map(({ of, what }) => `${what} of ${of}`)

test('the same is back, and so is less of what can’t be too little', () => {
  expect(astray(BEFORE)).toEqual([])
  expect(astray(BEFORE, 'none')).toEqual([])
  expect(astray(withTold({ handles: {}, emitters: {}, listeners: {}, heapBytes: MIB }))).toEqual([])
})

describe('one more is seen', () => {
  const cases: [string, ResourceCounts][] = [
    [
      'descriptors of workers of host 0',
      withWorker({ descriptors: { 'socket:[n]': 12, '/data/data.mdb': 2 } }),
    ],
    ['handles of workers of host 0', withTold({ handles: { TCPSocketWrap: 11, PipeWrap: 2 } })],
    ['emitters of workers of host 0', withTold({ emitters: { Socket: 31, Redis: 2 } })],
    ['listeners of workers of host 0', withTold({ listeners: { Socket: 300, Redis: 13 } })],
    [
      'processes of workers of host 0',
      { ...BEFORE, processes: [...BEFORE.processes, processOf({ processKey: '8 8' })] },
    ],
    ['persistent keys of Redis', withRedis({ persistentKeys: 101 })],
    ['channels of Redis', withRedis({ channels: 2 })],
    ['shard channels of Redis', withRedis({ shardChannels: 61 })],
    ['patterns of Redis', withRedis({ patterns: 1 })],
    ['connections of Redis', withRedis({ connections: 5 })],
  ]
  test.each(cases)('%s', (name, after) => {
    expect(names(astray(after))).toContain(name)
  })
})

test('what grew says in what', () => {
  const [row] = astray(withTold({ listeners: { Socket: 298, Redis: 12, AbortSignal: 40 } }))
  expect(row).toMatchObject({ before: 312, after: 350, most: 312, changed: 'AbortSignal +40, Socket −2' })
})

test('fewer subscriptions, connections or processes than before are no return', () => {
  expect(names(astray(withRedis({ shardChannels: 59 })))).toEqual(['shard channels of Redis'])
  expect(names(astray(withRedis({ connections: 3 })))).toEqual(['connections of Redis'])
  expect(names(astray({ ...BEFORE, processes: [REDIS_SERVER] }))).toEqual(['processes of workers of host 0'])
})

describe('what moves by itself has a bound', () => {
  test.each([
    ['timers', { handles: { Timeout: 21 } }, { handles: { Timeout: 22 } }],
    ['heap', { heapBytes: 26 * MIB }, { heapBytes: 26.1 * MIB }],
  ])('%s', (what, within, beyond) => {
    expect(astray(withTold(within))).toEqual([])
    expect(names(astray(withTold(beyond)))).toEqual([`${what} of workers of host 0`])
  })

  test('resident memory', () => {
    expect(astray(withWorker({ rssBytes: 92 * MIB }))).toEqual([])
    expect(names(astray(withWorker({ rssBytes: 93 * MIB })))).toEqual(['memory of workers of host 0'])
  })

  test('keys that Redis lets go of by itself', () => {
    expect(astray(withRedis({ expiringKeys: 30 }))).toEqual([])
    expect(names(astray(withRedis({ expiringKeys: 31 })))).toEqual(['expiring keys of Redis'])
  })

  test('what is under way at the moment has none', () => {
    expect(astray(withTold({ handles: { TCPSocketWrap: 10, PipeWrap: 2, FSReqCallback: 900 } }))).toEqual([])
  })
})

test('before anybody has come there are no rooms, and dead hosts leave counts of users: without clients keys are reported, not judged', () => {
  expect(astray(withRedis({ persistentKeys: 150, expiringKeys: 150 }), 'none')).toEqual([])
})

test('Redis keeps what was said: its memory is reported, not judged', () => {
  const after = { ...BEFORE, processes: [processOf(), { ...REDIS_SERVER, rssBytes: 400 * MIB }] }
  expect(astray(after)).toEqual([])
})

const twoWorkers = (first: number, second: number, lives: [string, string]): ResourceCounts => ({
  ...BEFORE,
  processes: [first, second].map((sockets, place) =>
    processOf({ processKey: lives[place] ?? '', descriptors: { 'socket:[n]': sockets } }),
  ),
})

const twoHosts = (sockets: [number, number]): ResourceCounts => ({
  ...BEFORE,
  processes: sockets.map((count, host) =>
    processOf({ processKey: `${host} 1`, host, descriptors: { 'socket:[n]': count } }),
  ),
})

describe('processes that were replaced', () => {
  const before = twoWorkers(50, 50, ['1 1', '2 2'])

  test('may have their host’s clients in another share', () => {
    expect(astray(twoWorkers(20, 80, ['1 1', '9 9']), 'all', before)).toEqual([])
    expect(names(astray(twoWorkers(21, 80, ['1 1', '9 9']), 'all', before))).toEqual([
      'descriptors of workers of host 0',
    ])
  })

  test('are reported: it is to be known how long the others had to leak', () => {
    const rows = baselineRows(before, twoWorkers(20, 80, ['1 1', '9 9']), 'all')
    expect(rows.find(({ what }) => what.includes('from before the load'))).toMatchObject({
      before: 2,
      after: 1,
      most: null,
    })
  })

  test('of one host are not made up for by another', () => {
    expect(names(astray(twoHosts([49, 51]), 'all', twoHosts([50, 50])))).toEqual([
      'descriptors of workers of host 1',
    ])
  })
})
