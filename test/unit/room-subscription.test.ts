/** What a watched room tells, whatever its channel and its store go through. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RoomSubscription } from '../../src/log/redis/room-subscription.ts'
import { proofOf } from '../../src/log/redis/stored-entry.ts'
import type { LogPage, ReadRange } from '../../src/log/room-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { until } from '../harness/until.ts'

/** A store that does as the scripts do: one that lacks what the asker has seen gets a new epoch before it answers. */
class Store {
  entries: LogEntry[] = []
  epoch = 'e1'
  made = 0
  failures = 0

  append(seen: RoomSubscription['seen'] = null): LogEntry {
    this.#settle(seen)
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

  async read(range: ReadRange, seen: RoomSubscription['seen']): Promise<LogPage> {
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('not readable now')
    }
    this.#settle(seen)
    const head = this.entries.length
    const from = 'after' in range ? range.after : Math.max(0, head - range.limit)
    const entries = this.entries.slice(from, from + range.limit)
    return { epoch: this.epoch, head, first: 1, entries, more: from + entries.length < head }
  }

  #settle(seen: RoomSubscription['seen']): void {
    if (seen === null || seen.epoch !== this.epoch || seen.seq === 0) return
    const known = this.entries[seen.seq - 1]
    const same = known !== undefined && (seen.proof === '' || proofOf(known) === seen.proof)
    if (!same) this.epoch = `e${Number(this.epoch.slice(1)) + 1}`
  }
}

function watchOf(store: Store) {
  /** Of each epoch: from which head on, and which ids. */
  const told: { epoch: string; head: number; ids: string[] }[] = []
  const counts = { unknown: 0, unreadable: 0 }
  const watch: RoomSubscription = new RoomSubscription({
    room: 'r',
    read: (range) => store.read(range, watch.seen),
    position: async () => {
      const { epoch, head, first } = await store.read({ newest: true, limit: 1 }, watch.seen)
      return { epoch, head, first }
    },
    deliver: (entry) => {
      const part = told.at(-1)
      expect(entry.seq).toBe((part?.head ?? 0) + (part?.ids.length ?? 0) + 1)
      part?.ids.push(entry.id)
    },
    reset: ({ epoch, head }) => told.push({ epoch, head, ids: [] }),
    onRepair: () => undefined,
    onUnreadable: () => (counts.unreadable += 1),
    onUnknown: () => (counts.unknown += 1),
  })
  const start = async () => {
    told.push({ epoch: store.epoch, head: store.entries.length, ids: [] })
    await watch.start()
  }
  return { watch, told, counts, start }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('told' as const), brought: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), twice: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
)

test('tells every entry once and densely in each epoch, and in the end all that there is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5), fc.array(step, { maxLength: 60 }), async (before, steps) => {
      const store = new Store()
      for (let n = 0; n < before; n += 1) store.append()
      const { watch, told, start } = watchOf(store)
      await start()
      let lost = false
      for (const next of steps) {
        if (next.do === 'turn') await new Promise((resolve) => setImmediate(resolve))
        else if (next.do === 'lose') {
          lost = true
          store.lose(next.count)
        } else if (next.do === 'fail') store.failures = 1
        else {
          const entry = store.append(next.do === 'own' ? watch.seen : null)
          if (next.do === 'own') watch.appended(store.epoch, entry)
          if (next.do === 'own' ? next.twice : next.brought) watch.told(store.epoch, entry)
          // In silence a channel loses nothing behind a loss of the store: both come of a connection that was lost.
          else if (lost) watch.catchUp()
        }
      }
      store.failures = 0
      watch.catchUp()
      const held = () => store.entries.slice(told.at(-1)?.head ?? 0).map(({ id }) => id)
      await until(
        () => told.at(-1)?.epoch === store.epoch && told.at(-1)?.ids.join() === held().join(),
        'everything is told',
        () => JSON.stringify([told, store]),
      )
      watch.close()
    }),
    { numRuns: 120 },
  )
})

test('waits for what is on its way before an append of its own', async () => {
  const store = new Store()
  const { watch, told, start } = watchOf(store)
  await start()
  const [first, second] = [store.append(), store.append()]
  watch.appended('e1', second)
  expect(told[0]?.ids).toEqual([])
  watch.told('e1', first)
  expect(told[0]?.ids).toEqual(['m1', 'm2'])
})

test('reads from the store what is on its way for too long', async () => {
  const store = new Store()
  const { watch, told, start } = watchOf(store)
  await start()
  store.append()
  watch.appended('e1', store.append())
  await until(() => told[0]?.ids.length === 2, 'it is read')
  store.append()
  await watch.check()
  await until(() => told[0]?.ids.length === 3, 'it is found by the check')
})

test('takes from a channel nothing that the store does not have', async () => {
  const store = new Store()
  const { watch, told, counts, start } = watchOf(store)
  await start()
  const real = store.append()
  watch.told('e1', { ...real, seq: 7, id: 'made-up' })
  await until(() => counts.unknown === 1, 'it is dropped')
  expect(told).toEqual([{ epoch: 'e1', head: 0, ids: ['m1'] }])
})

test('tries again while the store cannot be read, and tells nothing when closed', async () => {
  const store = new Store()
  const { watch, told, counts, start } = watchOf(store)
  await start()
  store.failures = 2
  store.append()
  watch.catchUp()
  await until(() => told[0]?.ids.length === 1, 'it is read')
  expect(counts.unreadable).toBe(2)
  watch.close()
  watch.told('e1', store.append())
  watch.catchUp()
  expect(told[0]?.ids).toEqual(['m1'])
})

/** A watch that has lost an entry and reads it; the answers of its store come when they are let go. */
async function readingOn() {
  const store = new Store()
  const { watch, told, start } = watchOf(store)
  await start()
  /** Lets the reads go, in their order. */
  const asked: (() => void)[] = []
  const read = store.read.bind(store)
  store.read = async (range, seen) => {
    await new Promise<void>((resolve) => asked.push(resolve))
    return read(range, seen)
  }
  store.append()
  watch.told(store.epoch, store.append())
  await until(() => asked.length === 1, 'what was lost is read')
  return { store, watch, told, asked }
}

test('what comes while the store is read, and follows on that, is no reason to read again', async () => {
  const { store, watch, told, asked } = await readingOn()
  for (let n = 0; n < 3; n += 1) watch.told(store.epoch, store.append())
  // As the store was asked before the last of them was there.
  const late = store.append()
  store.entries.pop()
  asked[0]?.()
  await until(() => told.at(-1)?.ids.length === 5, 'all are told')
  store.entries.push(late)
  watch.told(store.epoch, late)
  expect(told.at(-1)?.ids).toEqual(store.entries.map(({ id }) => id))
  expect(asked).toHaveLength(1)
  watch.close()
})

test('what is lost while the store is read is read as well', async () => {
  const { store, watch, told, asked } = await readingOn()
  const [lost, after] = [store.append(), store.append()]
  store.entries.splice(-2)
  watch.told(store.epoch, after)
  asked[0]?.()
  await until(() => told.at(-1)?.ids.length === 2, 'the first ones are told')
  store.entries.push(lost, after)
  await until(() => asked.length === 2, 'the other one is read')
  asked[1]?.()
  await until(() => told.at(-1)?.ids.length === 4, 'all are told')
  expect(told.at(-1)?.ids).toEqual(store.entries.map(({ id }) => id))
  watch.close()
})
