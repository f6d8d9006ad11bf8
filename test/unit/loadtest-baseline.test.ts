/** Resource counts before and after a load: allowed differences pass, and growth is found. */
import { describe, expect, test } from 'vitest'
import { baselineRows, hasReturned } from '../../loadtest/measure/resources/compare-resources.ts'
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

/** The other workers and Redis are unchanged. */
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
  baselineRows(before, after, clients).filter((row) => !hasReturned(row))
const names = (rows: readonly Row[]): string[] => rows.map(({ of, what }) => `${what} of ${of}`)

test('equal counts pass, and so do lower counts that are never too low', () => {
  expect(astray(BEFORE)).toEqual([])
  expect(astray(BEFORE, 'none')).toEqual([])
  expect(astray(withTold({ handles: {}, emitters: {}, listeners: {}, heapBytes: MIB }))).toEqual([])
})

describe('one more is detected', () => {
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

test('a grown count reports what has grown', () => {
  const [row] = astray(withTold({ listeners: { Socket: 298, Redis: 12, AbortSignal: 40 } }))
  expect(row).toMatchObject({ before: 312, after: 350, most: 312, changed: 'AbortSignal +40, Socket −2' })
})

test('fewer subscriptions, connections or processes than before fail', () => {
  expect(names(astray(withRedis({ shardChannels: 59 })))).toEqual(['shard channels of Redis'])
  expect(names(astray(withRedis({ connections: 3 })))).toEqual(['connections of Redis'])
  expect(names(astray({ ...BEFORE, processes: [REDIS_SERVER] }))).toEqual(['processes of workers of host 0'])
})

describe('counts that vary have a limit', () => {
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

  test('keys that expire in Redis', () => {
    expect(astray(withRedis({ expiringKeys: 30 }))).toEqual([])
    expect(names(astray(withRedis({ expiringKeys: 31 })))).toEqual(['expiring keys of Redis'])
  })

  test('pending operations have none', () => {
    expect(astray(withTold({ handles: { TCPSocketWrap: 10, PipeWrap: 2, FSReqCallback: 900 } }))).toEqual([])
  })
})

test('before the first clients there are no rooms, and dead hosts leave user counts: without clients keys are not judged', () => {
  expect(astray(withRedis({ persistentKeys: 150, expiringKeys: 150 }), 'none')).toEqual([])
})

test('Redis keeps the messages: its memory is reported, not judged', () => {
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

describe('replaced processes', () => {
  const before = twoWorkers(50, 50, ['1 1', '2 2'])

  test('may have a different share of their host’s clients', () => {
    expect(astray(twoWorkers(20, 80, ['1 1', '9 9']), 'all', before)).toEqual([])
    expect(names(astray(twoWorkers(21, 80, ['1 1', '9 9']), 'all', before))).toEqual([
      'descriptors of workers of host 0',
    ])
  })

  test('are reported, since only the others had the whole time to leak', () => {
    const rows = baselineRows(before, twoWorkers(20, 80, ['1 1', '9 9']), 'all')
    expect(rows.find(({ what }) => what.includes('from before the load'))).toMatchObject({
      before: 2,
      after: 1,
      most: null,
    })
  })

  test('of one host do not compensate for another host', () => {
    expect(names(astray(twoHosts([49, 51]), 'all', twoHosts([50, 50])))).toEqual([
      'descriptors of workers of host 1',
    ])
  })
})
