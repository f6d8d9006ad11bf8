/** What a watched room delivers, whatever happens to its channel and its store. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RoomSubscription } from '../../src/log/redis/room-subscription.ts'
import { proofOf } from '../../src/log/redis/stored-entry.ts'
import type { LogPage, ReadRange } from '../../src/log/room-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { until } from '../harness/until.ts'

/** A store that acts like the scripts: a store that lacks what the caller has seen gets a new epoch first. */
class Store {
  entries: LogEntry[] = []
  epoch = 'e1'
  made = 0
  failures = 0

  append(known: RoomSubscription['knownPosition'] = null): LogEntry {
    this.#settle(known)
    this.made += 1
    const seq = this.entries.length + 1
    const from = { id: 'a', name: 'A' }
    const entry = { room: 'r', seq, id: `m${this.made}`, kind: 'text', from, text: '…', at: 1 } as const
    this.entries.push(entry)
    return entry
  }

  lose(count: number): void {
    this.entries = this.entries.slice(0, Math.max(0, this.entries.length - count))
  }

  async read(range: ReadRange, known: RoomSubscription['knownPosition']): Promise<LogPage> {
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('not readable now')
    }
    this.#settle(known)
    const head = this.entries.length
    const from = 'after' in range ? range.after : Math.max(0, head - range.limit)
    const entries = this.entries.slice(from, from + range.limit)
    return { epoch: this.epoch, head, first: 1, entries, more: from + entries.length < head }
  }

  #settle(known: RoomSubscription['knownPosition']): void {
    if (known === null || known.epoch !== this.epoch || known.seq === 0) return
    const own = this.entries[known.seq - 1]
    const same = own !== undefined && (known.proof === '' || proofOf(own) === known.proof)
    if (!same) this.epoch = `e${Number(this.epoch.slice(1)) + 1}`
  }
}

function watchOf(store: Store) {
  /** For each epoch: the head at its start, and the ids. */
  const received: { epoch: string; head: number; ids: string[] }[] = []
  const counts = { unknown: 0, unreadable: 0 }
  const subscription: RoomSubscription = new RoomSubscription({
    room: 'r',
    read: (range) => store.read(range, subscription.knownPosition),
    position: async () => {
      const { epoch, head, first } = await store.read({ newest: true, limit: 1 }, subscription.knownPosition)
      return { epoch, head, first }
    },
    deliver: (entry) => {
      const part = received.at(-1)
      expect(entry.seq).toBe((part?.head ?? 0) + (part?.ids.length ?? 0) + 1)
      part?.ids.push(entry.id)
    },
    reset: ({ epoch, head }) => received.push({ epoch, head, ids: [] }),
    onRepair: () => undefined,
    onUnreadable: () => (counts.unreadable += 1),
    onUnknown: () => (counts.unknown += 1),
  })
  const start = async () => {
    received.push({ epoch: store.epoch, head: store.entries.length, ids: [] })
    await subscription.start()
  }
  return { subscription, received, counts, start }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('received' as const), brought: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), twice: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
)

test('delivers every entry once and densely in each epoch, and everything in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5), fc.array(step, { maxLength: 60 }), async (before, steps) => {
      const store = new Store()
      for (let n = 0; n < before; n += 1) store.append()
      const { subscription, received, start } = watchOf(store)
      await start()
      let lost = false
      for (const next of steps) {
        if (next.do === 'turn') await new Promise((resolve) => setImmediate(resolve))
        else if (next.do === 'lose') {
          lost = true
          store.lose(next.count)
        } else if (next.do === 'fail') store.failures = 1
        else {
          const entry = store.append(next.do === 'own' ? subscription.knownPosition : null)
          if (next.do === 'own') subscription.appended(store.epoch, entry)
          if (next.do === 'own' ? next.twice : next.brought) subscription.received(store.epoch, entry)
          // A quiet channel loses messages only together with the store: both follow from a lost connection.
          else if (lost) subscription.catchUp()
        }
      }
      store.failures = 0
      subscription.catchUp()
      const held = () => store.entries.slice(received.at(-1)?.head ?? 0).map(({ id }) => id)
      await until(
        () => received.at(-1)?.epoch === store.epoch && received.at(-1)?.ids.join() === held().join(),
        'everything is delivered',
        () => JSON.stringify([received, store]),
      )
      subscription.close()
    }),
    { numRuns: 120 },
  )
})

test('waits for entries in transit before an append of its own', async () => {
  const store = new Store()
  const { subscription, received, start } = watchOf(store)
  await start()
  const [first, second] = [store.append(), store.append()]
  subscription.appended('e1', second)
  expect(received[0]?.ids).toEqual([])
  subscription.received('e1', first)
  expect(received[0]?.ids).toEqual(['m1', 'm2'])
})

test('reads entries from the store that are in transit for too long', async () => {
  const store = new Store()
  const { subscription, received, start } = watchOf(store)
  await start()
  store.append()
  subscription.appended('e1', store.append())
  await until(() => received[0]?.ids.length === 2, 'the entry is read')
  store.append()
  await subscription.check()
  await until(() => received[0]?.ids.length === 3, 'the check finds the entry')
})

test('delivers nothing from a channel that the store does not have', async () => {
  const store = new Store()
  const { subscription, received, counts, start } = watchOf(store)
  await start()
  const real = store.append()
  subscription.received('e1', { ...real, seq: 7, id: 'made-up' })
  await until(() => counts.unknown === 1, 'the entry is dropped')
  expect(received).toEqual([{ epoch: 'e1', head: 0, ids: ['m1'] }])
})

test('retries while the store cannot be read, and delivers nothing when closed', async () => {
  const store = new Store()
  const { subscription, received, counts, start } = watchOf(store)
  await start()
  store.failures = 2
  store.append()
  subscription.catchUp()
  await until(() => received[0]?.ids.length === 1, 'the entry is read')
  expect(counts.unreadable).toBe(2)
  subscription.close()
  subscription.received('e1', store.append())
  subscription.catchUp()
  expect(received[0]?.ids).toEqual(['m1'])
})

/** A watch that has lost an entry and is reading it; its store answers when the test releases the reads. */
async function readingOn() {
  const store = new Store()
  const { subscription, received, start } = watchOf(store)
  await start()
  /** Calling one releases a read; in call order. */
  const asked: (() => void)[] = []
  const read = store.read.bind(store)
  store.read = async (range, known) => {
    await new Promise<void>((resolve) => asked.push(resolve))
    return read(range, known)
  }
  store.append()
  subscription.received(store.epoch, store.append())
  await until(() => asked.length === 1, 'the lost entry is being read')
  return { store, subscription, received, asked }
}

test('entries that arrive and continue the sequence while the store is read cause no second read', async () => {
  const { store, subscription, received, asked } = await readingOn()
  for (let n = 0; n < 3; n += 1) subscription.received(store.epoch, store.append())
  // The store was read before the last of them was there.
  const late = store.append()
  store.entries.pop()
  asked[0]?.()
  await until(() => received.at(-1)?.ids.length === 5, 'all entries are delivered')
  store.entries.push(late)
  subscription.received(store.epoch, late)
  expect(received.at(-1)?.ids).toEqual(store.entries.map(({ id }) => id))
  expect(asked).toHaveLength(1)
  subscription.close()
})

test('entries that are lost while the store is read are read as well', async () => {
  const { store, subscription, received, asked } = await readingOn()
  const [lost, after] = [store.append(), store.append()]
  store.entries.splice(-2)
  subscription.received(store.epoch, after)
  asked[0]?.()
  await until(() => received.at(-1)?.ids.length === 2, 'the first entries are delivered')
  store.entries.push(lost, after)
  await until(() => asked.length === 2, 'the other entry is being read')
  asked[1]?.()
  await until(() => received.at(-1)?.ids.length === 4, 'all entries are delivered')
  expect(received.at(-1)?.ids).toEqual(store.entries.map(({ id }) => id))
  subscription.close()
})
