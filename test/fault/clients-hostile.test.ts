/**
 * Clients that never read, read one byte per second, answer nothing, connect and disconnect, join and leave,
 * and flood, all at once: their cost is bounded, and other clients are served.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { residentBytes } from '../harness/faults/process.ts'
import { underLoad, untilMoreAcked } from '../harness/members/under-load.ts'
import { RawWebSocketClient } from '../harness/network/raw-websocket.ts'
import { until } from '../harness/until.ts'

const MEBIBYTE = 1024 ** 2
const ROOM = 'loud'
const TEXT = 'x'.repeat(5_000)
const READERS = 2
/** For each client many times what may be unsent, and more than the system buffers. */
const LOUD_BYTES = 60 * MEBIBYTE
const OPENED = 1_000
const AT_A_TIME = 20
const JOINS = 2_000
const FLOOD = 3_000
const MAY_GROW_BYTES = 120 * MEBIBYTE

let rookery: RunningRookery
const ends: (() => void)[] = []

beforeAll(async () => {
  rookery = await startRookery({
    env: {
      WORKERS: '2',
      TEXT_MAX_CHARS: '5000',
      SLOW_CLIENT_MS: '300000',
      // These clients answer no heartbeat.
      PING_INTERVAL_MS: '300000',
      // Time-outs of the flooding client and of the others.
      MESSAGE_RATE: '2000',
      MESSAGE_BURST: '4000',
    },
  })
})

afterAll(async () => {
  for (const end of ends.splice(0)) end()
  await rookery?.kill()
})

const pids = () => [rookery.pid, ...rookery.workerPids()]

const metric = (name: string) => metricSum(rookery.adminUrl, name)

/** No process has grown more than allowed, and none has ended. */
async function whatItCosts(hostile: () => Promise<void>): Promise<void> {
  const before = await Promise.all(pids().map(residentBytes))
  await hostile()
  const after = await Promise.all(pids().map(residentBytes))
  for (const [at, bytes] of after.entries()) expect(bytes - (before[at] ?? 0)).toBeLessThan(MAY_GROW_BYTES)
  expect(rookery.log('worker died')).toBeUndefined()
}

async function guest(name: string): Promise<ChatClient> {
  const client = await ChatClient.guest(rookery.url, name, { reconnection: false })
  ends.push(() => client.close())
  return client
}

/** Until all clients that do not read are skipped. */
async function talkLoudly(slow: number): Promise<void> {
  const loud = await guest('Loud')
  await loud.join(ROOM)
  for (let sent = 0; (await metric('rookery_chat_slow_members')) < slow; sent += 100) {
    if (sent * TEXT.length > LOUD_BYTES) throw new Error('nobody is passed over')
    const batch = Array.from({ length: 100 }, (_, n) =>
      loud.raw('message:send', { room: ROOM, id: `loud-${sent + n}`, text: TEXT }),
    )
    await Promise.all(batch)
  }
}

test('clients that never read, or read one byte per second, are skipped', async () => {
  await whatItCosts(async () => {
    await underLoad({ url: rookery.url, label: 'slow-' }, async (crowd) => {
      const readers: RawWebSocketClient[] = []
      for (let n = 0; n < READERS * 2; n += 1) {
        const reader = await RawWebSocketClient.member(rookery.port, `Reader ${n}`, ROOM)
        ends.push(() => reader.end())
        reader.stopReading()
        readers.push(reader)
      }
      const dripping = setInterval(() => {
        for (const reader of readers.slice(READERS)) reader.read(1)
      }, 1_000)
      ends.push(() => clearInterval(dripping))
      await talkLoudly(readers.length)
      await untilMoreAcked(crowd)
    })
  })
})

test('clients that reconnect, rejoin, flood or answer nothing cost the others nothing', async () => {
  await whatItCosts(async () => {
    const crowd = await underLoad({ url: rookery.url, label: 'busy-' }, async (members) => {
      await Promise.all([openAndClose(), joinAndLeave(), flood(), answerNothing()])
      await untilMoreAcked(members)
    })
    expect(crowd.disconnects).toBe(0)
  })
})

async function openAndClose(): Promise<void> {
  let opened = 0
  const lane = async () => {
    while (opened < OPENED) {
      opened += 1
      const client = await RawWebSocketClient.member(
        rookery.port,
        `Passing ${opened % AT_A_TIME}`,
        `passing-${opened % AT_A_TIME}`,
      )
      client.end()
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, lane))
}

async function joinAndLeave(): Promise<void> {
  const restless = await guest('Restless')
  for (let n = 0; n < JOINS; n += 1) {
    restless.socket.emit('room:join', { room: `room-${n % 200}` })
    restless.socket.emit('room:leave', { room: `room-${n % 200}` })
    if (n % 100 === 0) await delay(10)
  }
}

async function flood(): Promise<void> {
  const [flooding, big] = [await guest('Flooding'), await guest('Big')]
  await flooding.join(ROOM)
  for (let n = 0; n < FLOOD; n += 1) {
    flooding.socket.emit('message:send', { room: ROOM, id: `flood-${n}`, text: 'flood' })
    flooding.socket.emit('typing', { room: ROOM, typing: n % 2 === 0 })
  }
  big.socket.emit('message:send', { room: ROOM, id: 'big', text: 'x'.repeat(MEBIBYTE) })
  await until(() => big.disconnects.length > 0, 'a client that sends too large a packet is disconnected')
}

/** Connects, and then sends nothing more, not even a heartbeat. */
async function answerNothing(): Promise<void> {
  for (let n = 0; n < READERS; n += 1) {
    const mute = await RawWebSocketClient.member(rookery.port, `Mute ${n}`, ROOM)
    ends.push(() => mute.end())
  }
}
