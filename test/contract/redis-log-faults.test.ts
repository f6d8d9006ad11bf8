/** The log on Redis when Redis or the connection to it fails: no acked entry is lost or delivered twice. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RedisLog } from '../../src/log/redis/redis-log.ts'
import { entriesChannel, roomKey } from '../../src/redis/names.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import { startRedisCluster } from '../harness/redis/cluster.ts'
import { type RedisOptions, startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'
import { ann, bob, edit, refused, remove, text } from './log-under-test.ts'
import { type LogHost, RedisLogs } from './redis-logs.ts'

const CHECK_OFTEN = { limits: { checkIntervalMs: 50 } }
const SECRETS = { cluster: 'test', secrets: ['0123456789abcdef0123456789abcdef'] as const }

let redis: TestRedis
let logs: RedisLogs
async function start(options: RedisOptions = {}): Promise<void> {
  redis = await startRedis(options)
  logs = new RedisLogs(redis.url)
}
afterEach(async () => {
  await logs.dispose()
  await redis.stop()
})

const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const channel = entriesChannel('test', 'den')
const key = (part: string) => roomKey('test', 'den', part)

/** Saves the room's keys. @returns a function that restores them without publishing */
async function snapshot({ host }: LogHost, from = 'test'): Promise<(to?: string) => Promise<void>> {
  const { commands } = host.connection
  const parts = ['meta', 'log', 'ids', 'edits', 'removed']
  const dumps = await Promise.all(parts.map((part) => commands.dumpBuffer(roomKey(from, 'den', part))))
  return async (to = 'test') => {
    // In one transaction: hosts check the room all the time.
    const transaction = commands.multi()
    for (const [index, part] of parts.entries()) {
      const dump = dumps[index]
      transaction.del(roomKey(to, 'den', part))
      if (dump !== null && dump !== undefined) transaction.restore(roomKey(to, 'den', part), 0, dump)
    }
    for (const [error] of (await transaction.exec()) ?? []) if (error !== null) throw error
  }
}

/** Retries until it succeeds, as the client does: one node of a Redis Cluster may still be unreachable. */
async function surely<T>(work: () => Promise<T>, what: string): Promise<T> {
  let done: { readonly answer: T } | undefined
  await until(async () => {
    try {
      done = { answer: await work() }
      return true
    } catch (error) {
      if (error instanceof RookeryError && error.retryable) return false
      throw error
    }
  }, what)
  if (done === undefined) throw new Error(`not done: ${what}`)
  return done.answer
}

const sendSurely = async (log: RedisLog, room: string, id: string) =>
  (await surely(() => log.append(room, text(id)), 'the append is acknowledged')).seq

const watchSurely = (log: RedisLog, room: string) => surely(() => log.watch(room), 'the room is watched')

/** Two hosts whose members write and receive during the fault and a little longer. */
async function crowd(trouble: () => Promise<void>): Promise<void> {
  const [a, b] = [await logs.host(CHECK_OFTEN), await logs.host(CHECK_OFTEN)]
  await Promise.all([a, b].map(({ log }) => watchSurely(log, 'den')))
  const state = { over: false }
  const write = async (log: RedisLog, writer: string) => {
    const seqs: number[] = []
    for (let left = 20; left > 0; left -= state.over ? 1 : 0)
      seqs.push(await sendSurely(log, 'den', `m-${writer}-${seqs.length}`))
    return seqs
  }
  const writers = [a, b].flatMap(({ log }, host) => upTo(1, 5).map((n) => write(log, `${host}-${n}`)))
  await trouble()
  state.over = true
  const acked = (await Promise.all(writers)).flat().toSorted((x, y) => x - y)
  const all = upTo(1, acked.length)
  expect(acked).toEqual(all)
  for (const { received, entries } of [a, b]) {
    await until(
      () => received.length >= all.length,
      'everything is received',
      () => JSON.stringify(received.slice(-5)),
    )
    expect(received).toEqual(all)
    expect(new Set(entries.map(({ id }) => id)).size).toBe(all.length)
  }
}

describe('the log on Redis during faults', () => {
  it('delivers everything in one order while subscribers are disconnected again and again', async () => {
    await start()
    await crowd(async () => {
      for (let n = 0; n < 10; n += 1) {
        await redis.cli('client', 'kill', 'type', 'pubsub')
        await redis.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes')
      }
    })
  })

  it('has every acked message after Redis was killed, and continues the numbering', async () => {
    await start({ appendonly: 'always' })
    await crowd(() => redis.restart())
  })

  it('refuses while Redis is frozen, and continues when Redis does', async () => {
    await start()
    const { log, received, host } = await logs.host({}, { REDIS_TIMEOUT_MS: '200' })
    await log.watch('den')
    await log.append('den', text('m1'))
    redis.pause()
    await expect(log.append('den', text('m2'))).rejects.toEqual(refused('unavailable'))
    await until(() => host.health.commands !== null, 'the freeze is detected')
    redis.resume()
    expect(await sendSurely(log, 'den', 'm2')).toBe(2)
    expect(await sendSurely(log, 'den', 'm3')).toBe(3)
    await until(() => received.length === 3, 'all entries are received')
    expect(received).toEqual([1, 2, 3])
  })

  it('reads from the store what a channel never delivered', async () => {
    await start()
    const a = await logs.host(CHECK_OFTEN)
    const elsewhere = await logs.host({ cluster: 'elsewhere' })
    await a.log.watch('den')
    await a.log.append('den', text('m1'))
    await (await snapshot(a))('elsewhere')
    for (const n of upTo(2, 300)) await elsewhere.log.append('den', text(`m${n}`))
    await (await snapshot(elsewhere, 'elsewhere'))('test')
    await until(() => a.received.length === 300, 'the missing entries are found')
    expect(a.received).toEqual(upTo(1, 300))
    expect(a.entries.at(-1)?.id).toBe('m300')
  })

  it('reports why it refuses writes, still serves reads, and accepts writes again by itself', async () => {
    await start()
    const { log } = await logs.host()
    const health: (string | null)[] = []
    log.onHealth((reason) => health.push(reason))
    await log.append('den', text('m1'))
    await redis.cli('config', 'set', 'maxmemory', '1')
    await expect(log.append('den', text('m2'))).rejects.toEqual(refused('unavailable'))
    expect(health).toEqual([null, expect.stringMatching(/takes no writes: OOM/)])
    expect((await log.read('den', { newest: true, limit: 9 })).entries).toHaveLength(1)
    expect((await log.head('never')).head).toBe(0)
    await redis.cli('config', 'set', 'maxmemory', '0')
    await until(() => health.at(-1) === null, 'the log works again')
    expect(await log.append('den', text('m2'))).toMatchObject({ seq: 2, duplicate: false })
  })

  it('moves the read marker of an author later when it could not at first', async () => {
    await start()
    const { log, metric } = await logs.host()
    await log.trackRoom('ann', 'den')
    const rooms = 'rookery:test:{u:ann}:rooms'
    await redis.cli('rename', rooms, 'aside')
    await redis.cli('set', rooms, 'in the way')
    await log.append('den', text('m1', 'hi', ann))
    await until(async () => (await metric('rookery_log_pending_marks')) === 1, 'the marker is pending')
    await redis.cli('rename', 'aside', rooms)
    await until(async () => (await log.userRooms('ann'))[0]?.read === 1, 'the marker is moved')
    expect(await metric('rookery_log_pending_marks')).toBe(0)
  })

  it('refuses only the room whose keys somebody has replaced with something else', async () => {
    await start()
    const { log } = await logs.host()
    await redis.cli('set', key('meta'), 'garbage')
    await expect(log.append('den', text('m1'))).rejects.toEqual(refused('internal'))
    await expect(log.head('den')).rejects.toEqual(refused('internal'))
    expect(await log.append('attic', text('m1'))).toMatchObject({ seq: 1 })
  })
})

describe('the log in a Redis Cluster', () => {
  it('delivers everything in one order while the slot of the room moves from node to node', async () => {
    await start()
    const cluster = await startRedisCluster()
    await logs.dispose()
    logs = new RedisLogs(cluster.url)
    try {
      await crowd(async () => {
        for (const node of [...cluster.nodes, ...cluster.nodes]) await cluster.moveSlotOf(key('meta'), node)
      })
    } finally {
      await logs.dispose()
      await cluster.stop()
    }
  })
})

describe('the log on a Redis that has lost data', () => {
  beforeEach(() => start())

  it('starts a new epoch after a flush, and reports it', async () => {
    const [a, b] = [await logs.host(CHECK_OFTEN), await logs.host(CHECK_OFTEN)]
    await Promise.all([a, b].map(({ log }) => log.watch('den')))
    for (const n of upTo(1, 3)) await a.log.append('den', text(`m${n}`))
    await until(() => b.received.length === 3, 'all entries are received')
    const { epoch } = await a.log.head('den')
    await redis.cli('flushall')
    await until(
      () => a.received.includes('reset 0') && b.received.includes('reset 0'),
      'the reset is received',
    )
    expect(await a.log.append('den', text('m1'))).toMatchObject({ seq: 1, duplicate: false })
    await until(() => b.received.length === 5, 'entries of the new log are received')
    expect([a.received, b.received]).toEqual(
      [upTo(1, 3), upTo(1, 3)].map((received) => [...received, 'reset 0', 1]),
    )
    expect((await b.log.head('den')).epoch).not.toBe(epoch)
    expect(await a.metric('rookery_log_resets_total')).toBe(1)
  })

  it('never continues the numbering in the old epoch after the end was lost, whichever host writes first', async () => {
    const a = await logs.host()
    await a.log.watch('den')
    for (const n of upTo(1, 5)) await a.log.append('den', text(`m${n}`))
    const back = await snapshot(a)
    for (const n of upTo(6, 8)) await a.log.append('den', text(`m${n}`))
    const { epoch } = await a.log.head('den')
    await back()
    expect(await a.log.append('den', text('m9'))).toMatchObject({ seq: 6, duplicate: false })
    await until(() => a.received.includes('reset 6'), 'the reset is received')
    expect(a.received).toEqual([...upTo(1, 8), 'reset 6'])
    expect((await a.log.head('den')).epoch).not.toBe(epoch)
    await a.log.append('den', text('m10'))
    await until(() => a.received.at(-1) === 7, 'the new log continues')
  })

  it.each([
    ['from the channel', () => Promise.resolve('')],
    ['from the store', () => redis.cli('client', 'kill', 'type', 'pubsub')],
  ])('notices %s that the end was lost after other hosts have already written more', async (_, trouble) => {
    const a = await logs.host(CHECK_OFTEN)
    const b = await logs.host(CHECK_OFTEN)
    await a.log.watch('den')
    for (const n of upTo(1, 5)) await a.log.append('den', text(`m${n}`))
    const back = await snapshot(a)
    for (const n of upTo(6, 7)) await a.log.append('den', text(`m${n}`))
    const { epoch } = await a.log.head('den')
    await trouble()
    await back()
    // This host has seen nothing of the room, and cannot know.
    await Promise.all(upTo(1, 4).map((n) => b.log.append('den', text(`other${n}`))))
    await until(() => a.received.some((each) => typeof each === 'string'), 'the reset is received')
    expect((await b.log.head('den')).epoch).not.toBe(epoch)
    const page = await a.log.read('den', { newest: true, limit: 4 })
    expect(page.entries.map(({ id }) => id)).toEqual(['other1', 'other2', 'other3', 'other4'])
  })

  it('does not treat entries as read that came after the log was lost', async () => {
    const { log } = await logs.host()
    await log.trackRoom('ann', 'den')
    for (const n of upTo(1, 5)) await log.append('den', text(`m${n}`, 'hi', bob))
    expect(await log.markRead('ann', 'den', 5)).toBe(5)
    await redis.cli('del', key('meta'))
    for (const n of upTo(1, 3)) await log.append('den', text(`n${n}`, 'hi', bob))
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 3, read: 0, unread: 3 }])
    expect(await log.markRead('ann', 'den', 2)).toBe(2)
    expect(await log.markRead('ann', 'den', 1)).toBe(2)
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 3, read: 2, unread: 1 }])
  })

  it('keeps the numbers of entries that Redis has deleted, and reports no reset', async () => {
    const a = await logs.host(CHECK_OFTEN)
    await a.log.watch('den')
    for (const n of upTo(1, 3)) await a.log.append('den', text(`m${n}`))
    const { epoch } = await a.log.head('den')
    await redis.cli('del', key('log'))
    expect(await a.log.head('den')).toEqual({ epoch, head: 3, first: 4 })
    expect((await a.log.read('den', { newest: true, limit: 9 })).entries).toEqual([])
    expect(await a.log.append('den', text('m1'))).toMatchObject({ seq: 4, duplicate: false })
  })

  it('waits for replicas when configured to, and recognizes the retry of an unconfirmed append', async () => {
    const replica = await startRedis({ config: { replicaof: `127.0.0.1 ${redis.port}` } })
    try {
      await until(
        async () => (await redis.cli('info', 'replication')).includes('state=online'),
        'it replicates',
      )
      const { log } = await logs.host({ waitReplicas: { count: 1, timeoutMs: 500 } })
      await Promise.all(upTo(1, 20).map((n) => sendSurely(log, 'den', `m${n}`)))
      replica.pause()
      await expect(log.append('den', text('last'))).rejects.toEqual(refused('unavailable'))
      replica.resume()
      expect(await sendSurely(log, 'den', 'last')).toBe(21)
      expect(await replica.cli('hget', key('meta'), 'head')).toBe('21')
    } finally {
      await replica.stop()
    }
  })
})

describe('data that is not from the log', () => {
  beforeEach(() => start())

  const garbage = [
    '',
    '{',
    'null',
    '[]',
    '{"epoch":"x"}',
    '{"epoch":"x","reset":false}',
    '"\\ud800"',
    '{"epoch":1,"seq":1}',
  ]

  it('is counted on a channel, and delivers nothing', async () => {
    const a = await logs.host()
    await a.log.watch('den')
    await a.log.append('den', text('m1'))
    for (const each of garbage) await redis.cli('spublish', channel, each)
    const { epoch } = await a.log.head('den')
    const ahead = JSON.stringify({
      epoch,
      seq: 99,
      at: 1,
      id: 'x',
      kind: 'text',
      from: bob,
      hash: '',
      n: 1,
      text: 'x',
    })
    await redis.cli('spublish', channel, ahead)
    await redis.cli('spublish', channel, JSON.stringify({ epoch: 'another', reset: true }))
    await until(
      async () => (await a.metric('rookery_log_unknown_entries_total')) === 1,
      'it is not in the store',
    )
    await a.log.append('den', text('m2'))
    expect(await a.metric('rookery_log_refused_entries_total')).toBe(garbage.length)
    await until(() => a.received.length === 2, 'the following entry is received')
    expect(a.received).toEqual([1, 2])
  })

  it('becomes a hole that delivers nothing when it is stored', async () => {
    const a = await logs.host()
    for (const n of upTo(1, 4)) await a.log.append('den', text(`m${n}`))
    await redis.cli('hset', key('log'), '2', 'garbage')
    await redis.cli('hdel', key('log'), '3')
    const { entries } = await a.log.read('den', { after: 0, limit: 9 })
    expect(entries.map(({ seq, kind, target, text: words }) => [seq, kind, target, words])).toEqual([
      [1, 'text', undefined, 'words of m1'],
      [2, 'unreadable', undefined, undefined],
      [3, 'unreadable', undefined, undefined],
      [4, 'text', undefined, 'words of m4'],
    ])
    await expect(a.log.append('den', edit('e1', 2))).rejects.toEqual(refused('forbidden'))
    await expect(a.log.append('den', edit('e1', 3))).rejects.toEqual(refused('not_found'))
    expect(await a.log.append('den', text('m5'))).toMatchObject({ seq: 5 })
  })

  it('is refused without the right signature, published or stored; removed texts keep their signature', async () => {
    const signed = await logs.host({ keys: SECRETS })
    const stranger = await logs.host()
    await signed.log.watch('den')
    await signed.log.append('den', text('m1', 'mine'))
    await signed.log.append('den', edit('e1', 1, 'better'))
    await stranger.log.append('den', text('m2', 'forged'))
    await signed.log.append('den', text('m3', 'after'))
    await signed.log.append('den', remove('r1', 1))
    await until(() => signed.received.length === 5, 'all entries are received')
    expect(signed.received).toEqual(upTo(1, 5))
    expect(signed.entries[2]).toMatchObject({ kind: 'unreadable', from: { id: '-' } })
    await redis.cli(
      'hset',
      key('log'),
      '4',
      (await redis.cli('hget', key('log'), '4')).replace('after', 'AFTER'),
    )
    const { entries } = await signed.log.read('den', { after: 0, limit: 9 })
    expect(entries.map(({ id, text: words }) => [id, words])).toEqual([
      ['m1', undefined],
      ['e1', undefined],
      ['unreadable-3', undefined],
      ['unreadable-4', undefined],
      ['r1', undefined],
    ])
    // In another room the signature of the same bytes is invalid.
    await redis.cli('copy', key('log'), roomKey('test', 'attic', 'log'))
    await redis.cli('copy', key('meta'), roomKey('test', 'attic', 'meta'))
    const moved = await signed.log.read('attic', { after: 0, limit: 9 })
    expect(moved.entries.map(({ from }) => from.id)).toEqual(['-', '-', '-', '-', '-'])
  })

  it('is not read as an entry when it belongs to another cluster on the same Redis', async () => {
    const [a, b] = [await logs.host(), await logs.host({ cluster: 'other' })]
    await Promise.all([a, b].map(({ log }) => log.watch('den')))
    await a.log.append('den', text('m1'))
    await b.log.append('den', text('m1'))
    await b.log.append('den', text('m2'))
    expect([a.received, b.received]).toEqual([[1], [1, 2]])
    expect((await a.log.head('den')).head).toBe(1)
  })
})

describe('pages of long texts', () => {
  beforeEach(() => start())

  it('are bounded by bytes in both directions, with at least one entry', async () => {
    const { log } = await logs.host({ limits: { pageBytes: 5_000 } })
    for (const n of upTo(1, 9)) await log.append('den', text(`m${n}`, 'x'.repeat(n === 5 ? 9_000 : 2_000)))
    const read = async (range: Parameters<RedisLog['read']>[1]) => {
      const { entries, more } = await log.read('den', range)
      return [entries.map(({ seq }) => seq), more]
    }
    expect(await read({ after: 0, limit: 9 })).toEqual([[1, 2], true])
    expect(await read({ after: 4, limit: 9 })).toEqual([[5], true])
    expect(await read({ after: 7, limit: 9 })).toEqual([[8, 9], false])
    expect(await read({ newest: true, limit: 9 })).toEqual([[8, 9], true])
    expect(await read({ before: 6, limit: 9 })).toEqual([[5], true])
    expect(await read({ before: 3, limit: 9 })).toEqual([[1, 2], false])
  })
})
