/** Servers other than Redis: two hosts exchange messages on each, and the log does all that it does on Redis. */
import { describe, expect, it } from 'vitest'
import { readyTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import { otherStores } from '../harness/redis/stores.ts'
import { until } from '../harness/until.ts'
import { ann, bob, edit, remove, text } from './log-under-test.ts'
import { logOn } from './redis-logs.ts'

const KEYS = { cluster: 'test', secrets: ['0123456789abcdef0123456789abcdef'] as const }

describe.each(otherStores)('$name', ({ name, installed, server, libraries }) => {
  it.skipIf(!installed)(
    'takes the checks at the start, stores messages, and brings them to another host',
    async () => {
      const store = await startTestRedis({ store: { server, libraries }, appendonly: 'always' })
      expect(store.output.toLowerCase()).toContain(name)
      const [one, two] = [
        await readyTestConnection({ REDIS_URL: store.url, HOST_NAME: 'one' }),
        await readyTestConnection({ REDIS_URL: store.url, HOST_NAME: 'two' }),
      ]
      const retention = { messages: 3, days: 365 }
      const [a, b] = [logOn(one, { keys: KEYS, retention }), logOn(two, { keys: KEYS, retention })]
      await Promise.all([a, b].map(({ log }) => log.watch('den')))
      await b.log.trackRoom('ann', 'den')
      await a.log.append('den', text('m1', 'from one', bob))
      await b.log.append('den', text('m2', 'from two', ann))
      await a.log.append('den', edit('e1', 1, 'from one, again', bob))
      await b.log.append('den', remove('r1', 2, ann))
      expect(await a.log.append('den', text('m3', 'last', bob))).toMatchObject({ seq: 5 })
      expect(await b.log.append('den', text('m3', 'last', bob))).toMatchObject({ seq: 5, duplicate: true })
      await until(() => a.received.length === 5 && b.received.length === 5, 'both hosts have all')
      expect([a.received, b.received]).toEqual([
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5],
      ])
      const page = await b.log.read('den', { newest: true, limit: 9 })
      expect([page.first, page.entries.map(({ text: words }) => words)]).toEqual([
        3,
        ['from one, again', undefined, 'last'],
      ])
      expect(await a.log.markRead('ann', 'den', 4)).toBe(4)
      expect(await a.log.userRooms('ann')).toEqual([{ room: 'den', head: 5, read: 4, unread: 1 }])
      expect(await a.log.sweep()).toBe(0)
      for (const { log } of [a, b]) await log.close()
    },
  )
})
