/** A client that joins and leaves new rooms as fast as it can, and disconnects without leaving, leaves nothing behind. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const ROOMS = 600
const HELD = [
  'rookery_chat_sessions',
  'rookery_chat_rooms_open',
  'rookery_link_topics',
  'rookery_relay_topics',
  'rookery_presence_rooms',
]

let rookery: RunningRookery

beforeAll(async () => {
  rookery = await startRookery({
    env: { WORKERS: '2', REQUEST_RATE: '100000', REQUEST_BURST: '100000', ROOMS_PER_SOCKET: '1000' },
  })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

/** The resources of the host, over all its processes; undefined while a metric is missing. */
async function lookAtHeld(): Promise<string | undefined> {
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  const sums = HELD.map((name) => {
    const values = [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    return values.length === 0 ? undefined : values.reduce((total, [, value]) => total + Number(value), 0)
  })
  return sums.includes(undefined) ? undefined : HELD.map((name, i) => `${name} ${sums[i]}`).join(', ')
}

async function held(): Promise<string> {
  let found: string | undefined
  await until(async () => {
    found = await lookAtHeld()
    return found !== undefined
  }, 'all metrics are there')
  return found ?? ''
}

it.each([
  ['with a key', { name: 'Flood', key: 'the key of the flood of rooms' }],
  ['without a key', { name: 'Flood' }],
])('%s', async (_, auth) => {
  const start = await held()
  const client = new ChatClient(rookery.url, { auth, reconnection: false })
  const { user } = await client.next('welcome')
  const rooms = Array.from({ length: ROOMS }, () => `room.${randomUUID()}`)
  let answers = 0
  let joined = 0
  for (const [index, room] of rooms.entries()) {
    client.socket.emit('room:join', { room }, ({ ok }: { ok: boolean }) => {
      answers += 1
      if (ok) joined += 1
    })
    if (index % 3 !== 0) client.socket.emit('room:leave', { room })
    if (index % 100 === 99) await until(() => answers > index, 'all requests have an answer')
  }
  expect(joined).toBe(ROOMS)
  expect(await held()).not.toBe(start)
  for (const room of rooms) client.socket.emit('room:join', { room: `${room}.late` })
  client.socket.io.engine.close()

  await until(async () => (await held()) === start, `the host is back to ${start}`)
  const watcher = await ChatClient.guest(rookery.url, 'Watcher')
  for (const room of rooms.slice(0, 50)) {
    const { members } = await watcher.join(room)
    expect(members.map(({ id }) => id)).not.toContain(user.id)
    await watcher.ask('room:leave', { room })
  }
  watcher.close()
  await until(async () => (await held()) === start, `the host is back to ${start}`)
})
