/** The client of a server whose disk is full: it reports this, keeps messages, and sends them once it can. */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { memoryStorage } from '../../src/client/sending/storage.ts'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { SmallDisk } from '../harness/faults/small-disk.ts'
import { until } from '../harness/until.ts'

const canMount = await SmallDisk.mount(1).then(async (disk) => {
  await disk?.unmount()
  return disk !== undefined
})

const LARGE = 'x'.repeat(3_900)
const FILLING_MAX = 5_000

let disk: SmallDisk | undefined
let rookery: RunningRookery | undefined
let watches: Watch[] = []

afterEach(async () => {
  await Promise.all(watches.map((one) => one.close()))
  watches = []
  await rookery?.kill()
  await disk?.unmount()
})

test.skipIf(!canMount)(
  'a store that accepts nothing: the client is degraded and says why; messages wait and are sent once',
  async () => {
    disk = await SmallDisk.mount(4)
    const env = { ...UNLIMITED_RATES, DATA_DIR: join(disk?.path ?? '', 'data') }
    const { url } = (rookery = await startRookery({ env }))
    const watch = (name: string) => {
      const one = new Watch({ url, name, storage: memoryStorage() })
      watches.push(one)
      return one
    }
    const [ann, bob] = [watch('Ann'), watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    const written = []
    while (ann.client.state.state === 'online' && written.length < FILLING_MAX) {
      const message = ann.room.send(`${written.length} ${LARGE}`)
      written.push(message)
      await Promise.race([
        message.settled,
        until(() => ann.client.state.state === 'degraded', 'the client is degraded'),
      ])
    }
    for (const one of [ann, bob]) {
      await until(() => one.client.state.state === 'degraded', 'both clients are degraded')
      expect(one.client.state.reason).toEqual(expect.stringMatching(/\w/))
    }
    const stored = bob.room.lastSeq

    const waiting = [ann.room.send('written while it is full'), bob.room.send('and so is this')]
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending'])
    // New clients are admitted: they can read, and learn that the server is degraded.
    const late = watch('Cy')
    await late.room.live()
    await until(() => late.client.state.state === 'degraded', 'the new client is degraded too')
    expect(late.room.lastSeq).toBeGreaterThanOrEqual(stored)
    expect(ann.room.messages.filter(({ state }) => state === 'failed')).toEqual([])
    expect(ann.client.state.waiting).toBeGreaterThanOrEqual(1)
    expect(bob.client.state).toMatchObject({ state: 'degraded', waiting: 1 })

    await disk?.grow(64)
    for (const message of [...written, ...waiting])
      expect(await message.settled).toMatchObject({ state: 'sent' })
    const total = written.length + waiting.length
    for (const one of [ann, bob, late]) {
      await one.has(total)
      await until(() => one.client.state.state === 'online', 'the client is online again')
      one.audit()
    }
    expect(ann.client.state).toEqual({ state: 'online', waiting: 0 })
    expect(ann.shown).toHaveLength(total)
    expect(ann.shown).toEqual(bob.shown)
    const anns = [...written.map(({ id }) => id), waiting[0]?.id]
    expect(bob.shown.flatMap(({ id, from }) => (from.name === 'Ann' ? [id] : []))).toEqual(anns)
    // A nearly full store must not switch between working and failing.
    const turns = bob.states.filter(
      (state, index) => state === 'degraded' && bob.states[index - 1] !== 'degraded',
    )
    expect(turns.length).toBeLessThanOrEqual(3)
    expect(ann.states).not.toContain('offline')
  },
)
