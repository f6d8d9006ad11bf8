/** Many missed messages: all of them arrive, in order, in bounded memory, and delay nothing else. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { sized } from '../harness/long-run.ts'
import { Network } from '../harness/network/proxy.ts'
import { until } from '../harness/until.ts'

const MISSED = sized(10_000, 50_000)
const WRITERS = 4
const AT_ONCE = 250
const WINDOW = 500

let rookery: RunningRookery
let network: Network

beforeEach(async () => {
  rookery = await startRookery({
    env: {
      RETENTION_MESSAGES: '100000',
      MESSAGE_RATE: '1000000',
      MESSAGE_BURST: '1000000',
      REQUEST_RATE: '1000000',
      REQUEST_BURST: '1000000',
    },
  })
  network = await Network.to(rookery.port)
})

afterEach(async () => {
  await network.close()
  expect(await rookery.stop()).toBe(0)
})

async function write(name: string, count: number): Promise<void> {
  const writer = await ChatClient.guest(rookery.url, name)
  await writer.join('lobby')
  // It need not receive its own messages.
  writer.socket.offAny()
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => writer.send('lobby', `${name}-${sent + i}`, 'x')),
    )
  }
  writer.close()
}

it('shows each message once and in order, and keeps a window of them', async () => {
  const ann = new Watch({ url: network.url, name: 'Ann', windowMax: WINDOW })
  const side = ann.client.join('side')
  await Promise.all([ann.room.live(), side.live()])
  expect(await ann.room.send('before').settled).toMatchObject({ state: 'sent' })
  await ann.has(1)
  network.cut()
  await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`w${i}`, MISSED / WRITERS)))
  const own = ann.room.send('waits')
  const aside = side.send('not held up')
  network.mend()

  expect(await aside.settled).toMatchObject({ state: 'sent' })
  expect(ann.room.lastSeq).toBeLessThan(MISSED)
  await ann.has(MISSED + 2)
  await until(() => ann.room.state === 'live', 'the room is live')
  expect(await own.settled).toMatchObject({ state: 'sent' })
  ann.audit()
  expect(ann.shown).toHaveLength(MISSED + 2)
  expect(new Set(ann.shown.map(({ id, from }) => `${from.id} ${id}`)).size).toBe(MISSED + 2)
  expect(ann.room.entries).toHaveLength(WINDOW)

  expect(await ann.room.loadOlder(200)).toBe(200)
  expect(ann.room.messages).toHaveLength(WINDOW + 200)
  expect(ann.room.messages[0]).toMatchObject({ seq: MISSED + 2 - WINDOW - 199 })
  ann.room.forgetOlder()
  expect(ann.room.messages).toHaveLength(WINDOW)
  await ann.close()
})

it('starts over, and reports it, when the log does not keep that many messages', async () => {
  const small = await startRookery({
    env: { RETENTION_MESSAGES: '100', MESSAGE_RATE: '10000', MESSAGE_BURST: '10000' },
  })
  const link = await Network.to(small.port)
  const ann = new Watch({ url: link.url, name: 'Ann' })
  const bob = new Watch({ url: small.url, name: 'Bob' })
  await Promise.all([ann.room.live(), bob.room.live()])
  await bob.room.send('0').settled
  await ann.has(1)
  link.cut()
  await Promise.all(Array.from({ length: 300 }, (_, i) => bob.room.send(`${i + 1}`).settled))
  link.mend()
  await ann.has(301)
  expect(ann.resets).toEqual(['expired'])
  ann.audit()
  expect(ann.texts().at(-1)).toBe('300')
  await Promise.all([ann.close(), bob.close(), link.close()])
  expect(await small.stop()).toBe(0)
})
