/** A log that is moved from the data directory to Redis and back stays the same log for its readers. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { linesOf } from '../../src/core/lines.ts'
import type { RoomLog } from '../../src/log/room-log.ts'
import { openEmbeddedSource } from '../../src/log/transfer/embedded-source.ts'
import { openEmbeddedTarget } from '../../src/log/transfer/embedded-target.ts'
import { exportLog } from '../../src/log/transfer/export.ts'
import { ImportError, type ImportOutcome, importLog } from '../../src/log/transfer/import.ts'
import type { LogSource, LogTarget } from '../../src/log/transfer/lines.ts'
import { openRedisSource } from '../../src/log/transfer/redis-source.ts'
import { openRedisTarget } from '../../src/log/transfer/redis-target.ts'
import { redisHost } from '../harness/redis/host-connection.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'
import { LogDirectory } from './log-directory.ts'
import { ann, bob, edit, own, refused, remove, text } from './log-under-test.ts'
import { RedisLogs } from './redis-logs.ts'

const KEPT = 700
const retention = { messages: KEPT, days: Infinity }
const words = 'naïve \u0000 \u2028 \r 👩‍👩‍👧 "quoted" \\ \ud83d end'
/** With keys that an entry has itself. */
const drawn = { line: [1, 2], kind: 'text', text: words, seq: 9, data: '"}' }
const keys = { cluster: 'test', secrets: ['0123456789abcdef0123456789abcdef'] as const }
const users = ['ann', 'b}o"b', 'nobody']
const rooms = ['big', 'den', 'gone', 'never']

let redis: TestRedis
let directory: LogDirectory
let logs: RedisLogs
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.cli('flushall')
  directory = await LogDirectory.ordinary()
  logs = new RedisLogs(redis.url)
})
afterEach(async () => {
  await logs.dispose()
  await directory.dispose()
})

async function exported(source: LogSource): Promise<string[]> {
  let file = ''
  const write = async (lines: string) => void (file += lines)
  await exportLog({ source, cluster: 'test', exportedAt: new Date(0), write, onProgress: () => undefined })
  await source.close()
  return file.split('\n').slice(0, -1)
}

/** Redis returns rooms and users in no order, and keys in a different one. */
function sortedByText(lines: readonly string[]): string[] {
  const sorted = lines.map((line) => {
    const entries: [string, unknown][] = Object.entries(JSON.parse(line))
    return JSON.stringify(entries.toSorted(([a], [b]) => a.localeCompare(b)))
  })
  return sorted.toSorted((a, b) => a.localeCompare(b))
}

async function imported(target: LogTarget, lines: readonly string[]): Promise<ImportOutcome> {
  async function* chunks() {
    yield Buffer.from(lines.map((line) => `${line}\n`).join(''))
  }
  try {
    return await importLog({ target, lines: linesOf(chunks(), 1_000_000), onProgress: () => undefined })
  } finally {
    await target.close()
  }
}

const redisOptions = async () => {
  const host = redisHost({ REDIS_URL: redis.url })
  await host.untilWell()
  return { connection: host.connection, cluster: 'test', keys }
}

async function fill(log: RoomLog): Promise<void> {
  await log.trackRoom('ann', 'den')
  await log.trackRoom('ann', 'never')
  await log.trackRoom('b}o"b', 'den')
  await log.append('den', text('m1', words, { id: 'ann', name: '"Ä" <b>' }))
  await log.append('den', text('m2', 'removed', bob))
  await log.append('den', edit('e1', 2, 'removed too', bob))
  await log.append('den', edit('e2', 1, '', ann))
  await log.append('den', remove('r1', 2, bob))
  await log.markRead('b}o"b', 'den', 2)
  await log.append('den', own('o1', drawn, bob))
  await log.append('gone', text('m1'))
  const many = Array.from({ length: KEPT + 50 }, (_, n) =>
    log.append('big', text(`m${n}`, `words ${n}`, bob)),
  )
  await Promise.all(many)
}

/** Everything that can be read from it. */
async function contents(log: RoomLog) {
  const read = []
  for (const room of rooms.slice(0, 3)) {
    const { epoch, head, first } = await log.head(room)
    const entries = []
    for (let after = 0; after < head; after = entries.at(-1)?.seq ?? head)
      entries.push(...(await log.read(room, { after, limit: 200 })).entries)
    read.push({ room, epoch, head, first, entries })
  }
  return { read, users: await Promise.all(users.map((user) => log.userRooms(user))) }
}

async function expectSame(log: RoomLog, before: Awaited<ReturnType<typeof contents>>): Promise<void> {
  expect(await contents(log)).toEqual(before)
  const first = before.read.find(({ room }) => room === 'den')?.entries[0]
  const again = text('m1', words, { id: 'ann', name: 'Ann' })
  expect(await log.append('den', again)).toEqual({ seq: 1, at: first?.at, duplicate: true })
  await expect(log.append('den', text('m2', 'else', bob))).rejects.toEqual(refused('conflict'))
  expect(await log.append('den', text('m2', 'removed', bob))).toMatchObject({ seq: 2, duplicate: true })
  await expect(log.append('den', edit('e9', 2, 'x', bob))).rejects.toEqual(refused('not_found'))
  expect(await log.append('den', own('o1', drawn, bob))).toMatchObject({ seq: 6, duplicate: true })
  await expect(log.append('den', own('o1', {}, bob))).rejects.toEqual(refused('conflict'))
  await log.append('den', remove('r2', 1, ann))
  const { entries } = await log.read('den', { after: 0, limit: 9 })
  expect(entries.map((entry) => entry.text)).toEqual(Array.from({ length: 7 }))
}

describe('an exported log', () => {
  it('is the same in Redis, and the same again in a data directory', async () => {
    const embedded = await directory.openLog({ retention })
    await fill(embedded)
    const before = await contents(embedded)
    expect(before.read[0]).toMatchObject({ head: KEPT + 50, first: 51 })
    const lines = await exported(openEmbeddedSource(directory.path))
    const there = { rooms: 3, entries: KEPT + 7, users: 2, skipped: [] }
    expect(await imported(openRedisTarget(await redisOptions()), lines)).toEqual(there)

    const inRedis = await logs.host({ keys, retention })
    expect(await contents(inRedis.log)).toEqual(before)
    const back = await exported(openRedisSource(await redisOptions()))
    expect(sortedByText(back)).toEqual(sortedByText(lines))
    await expectSame(inRedis.log, before)

    const path = await mkdtemp(join(tmpdir(), 'rookery-log-'))
    try {
      expect(await imported(openEmbeddedTarget(path), back)).toEqual(there)
      const other = await LogDirectory.at(path).openLog({ retention })
      await expectSame(other, before)
      await other.close()
    } finally {
      await rm(path, { recursive: true })
    }
  })

  it('leaves rooms that have entries unchanged, with their markers, and adds the others', async () => {
    const embedded = await directory.openLog({ retention })
    await fill(embedded)
    const lines = await exported(openEmbeddedSource(directory.path))
    const { log } = await logs.host({ keys })
    await log.append('den', text('own'))
    await log.trackRoom('ann', 'attic')
    const outcome = await imported(openRedisTarget(await redisOptions()), lines)
    expect(outcome).toEqual({ rooms: 2, entries: KEPT + 1, users: 2, skipped: ['den'] })
    expect((await log.read('den', { newest: true, limit: 9 })).entries.map(({ id }) => id)).toEqual(['own'])
    expect((await log.userRooms('ann')).map(({ room }) => room)).toEqual(['attic', 'never'])
    expect(await log.userRooms('b}o"b')).toEqual([])
    const again = await imported(openRedisTarget(await redisOptions()), lines)
    expect(again).toMatchObject({
      rooms: 0,
      entries: 0,
      skipped: expect.arrayContaining(['big', 'den', 'gone']),
    })
  })

  it('appears at once on a host that watches the empty room', async () => {
    const embedded = await directory.openLog({ retention })
    await fill(embedded)
    const lines = await exported(openEmbeddedSource(directory.path))
    const { log, received } = await logs.host({ keys })
    await log.watch('big')
    await imported(openRedisTarget(await redisOptions()), lines)
    await until(() => received.length > 0, 'the reset is received')
    await log.append('big', text('next', 'words', bob))
    expect(received).toEqual([`reset ${KEPT + 50}`, KEPT + 51])
  })
})

it('is refused when Redis has dropped a part of it meanwhile, as after a jump of its clock', async () => {
  await fill(await directory.openLog({ retention }))
  const lines = await exported(openEmbeddedSource(directory.path))
  async function* interrupted() {
    for (const [at, line] of lines.entries()) {
      if (at === 600) await redis.cli('del', ...(await redis.cli('keys', '*import*')).split('\n'))
      yield Buffer.from(line)
    }
  }
  const target = openRedisTarget(await redisOptions())
  const importing = importLog({ target, lines: interrupted(), onProgress: () => undefined })
  await expect(importing).rejects.toThrow('entries of room big were lost while it was imported')
  await target.close()
  expect(await redis.cli('keys', '*import*')).toBe('')
  const { log } = await logs.host({ keys })
  expect((await log.head('big')).head).toBe(0)
})

describe('a file that is not an exported log', () => {
  let lines: string[]
  beforeEach(async () => {
    const embedded = await directory.openLog({ retention })
    await fill(embedded)
    lines = await exported(openEmbeddedSource(directory.path))
  })

  const spoilt: [string, (lines: string[]) => string[], RegExp][] = [
    ['has no end', (all) => all.slice(0, -1), /^line \d+: the file was cut off/],
    ['is empty', () => [], /^line 1: the file was cut off/],
    ['has no header', (all) => all.slice(1), /^line 1: a log starts with its header/],
    [
      'is of another version',
      (all) => [all[0]?.replace('"version":1', '"version":2') ?? '', ...all.slice(1)],
      /^line 1: version this Rookery reads version 1/,
    ],
    [
      'lacks an entry',
      (all) => all.toSpliced(300, 1),
      /^line 301: entry \d+ of room big where \d+ should be/,
    ],
    ['has an entry twice', (all) => all.toSpliced(300, 0, all[300] ?? ''), /^line 302: entry/],
    [
      'lacks the last entry of a room',
      (all) => all.toSpliced(all.findIndex((line) => line.includes('"room":"den"')) - 1, 1),
      /^line \d+: room big has entries up to/,
    ],
    ['has a line that is not JSON', (all) => all.with(300, '{'), /^line 301: not JSON/],
    [
      'has an invalid entry',
      (all) => all.with(300, all[300]?.replace('"kind":"text"', '"kind":"a song"') ?? ''),
      /^line 301: kind/,
    ],
    ['lacks a user', (all) => all.toSpliced(-2, 1), /the file should have 2 users, and has 1/],
    [
      'has a line that never ends',
      (all) => all.with(300, 'x'.repeat(2_000_000)),
      /^line 301: .*longer|^line \d+: .*not JSON/,
    ],
  ]
  it.each(spoilt)('%s: reports where, and stores nothing of that room', async (_, spoil, problem) => {
    const importing = imported(openRedisTarget(await redisOptions()), spoil(lines))
    await expect(importing).rejects.toThrow(ImportError)
    await expect(importing).rejects.toThrow(problem)
    expect(await redis.cli('keys', '*import*')).toBe('')
    const { log } = await logs.host({ keys })
    const { head, entries } = await log.read('big', { newest: true, limit: 999 })
    expect([0, KEPT]).toContain(entries.length)
    expect(head).toBe(entries.length === 0 ? 0 : KEPT + 50)
  })

  it('leaves nothing in a data directory that a later message could collide with', async () => {
    const path = await mkdtemp(join(tmpdir(), 'rookery-log-'))
    try {
      await expect(imported(openEmbeddedTarget(path), lines.slice(0, 650))).rejects.toThrow(ImportError)
      const log = await LogDirectory.at(path).openLog()
      expect((await log.head('big')).head).toBe(0)
      expect(await log.append('big', text('m60', 'words 60', bob))).toMatchObject({
        seq: 1,
        duplicate: false,
      })
      await log.close()
    } finally {
      await rm(path, { recursive: true })
    }
  })
})
