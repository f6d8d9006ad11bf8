/** `rookery emit` and POST /emit at two hosts with two workers each. */
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { rookery } from '../harness/command.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/from-outside.js', import.meta.url).pathname
const EMIT_TOKEN = 'a token of more than thirty-two bytes'

let hosts: LoopbackHosts
const clients: { socket: Socket; events: unknown[][] }[] = []
beforeAll(async () => {
  hosts = await LoopbackHosts.start({
    hosts: 2,
    workersPerHost: 2,
    args: ['--app', APP],
    env: { EMIT_TOKEN },
  })
  for (const index of [0, 1, 2, 3]) await connect(index)
})
afterAll(async () => {
  for (const { socket } of clients) socket.disconnect()
  await hosts?.stop()
})

/** Two at each host, the second over polling; the first of each is in the room `red`. */
async function connect(index: number): Promise<void> {
  const options = { transports: [index % 2 === 0 ? 'websocket' : 'polling'], forceNew: true }
  const rooms = index % 2 === 0 ? ['red'] : []
  const socket = io(`http://127.0.0.1:${hosts.ports[Math.floor(index / 2)]}`, { ...options, auth: { rooms } })
  const client = { socket, events: [] as unknown[][] }
  clients.push(client)
  let isJoined = false
  socket.onAny((...event: unknown[]) => {
    if (event[0] === 'joined') isJoined = true
    else client.events.push(event)
  })
  await until(() => isJoined, 'the client has joined')
}

async function eventsOfAll(): Promise<unknown[][][]> {
  expect(await post({ event: 'fence' })).toMatchObject({ status: 200 })
  await until(
    () => clients.every(({ events }) => events.at(-1)?.[0] === 'fence'),
    'the fence arrives',
    () => JSON.stringify(clients.map(({ events }) => events)),
  )
  return clients.map(({ events }) => events.splice(0).slice(0, -1))
}

async function post(body: object, token = EMIT_TOKEN) {
  const response = await fetch(`${hosts.at(0).adminUrl}/emit`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, answer: await response.json() }
}

const emit = (args: readonly string[], env: Record<string, string> = { EMIT_TOKEN }) =>
  rookery(['emit', ...args], { env })

test('an emit over HTTP reaches the clients of all workers and hosts, once', async () => {
  expect(await post({ event: 'news', args: ['a', { b: [1, null] }] })).toEqual({
    status: 200,
    answer: { ok: true, hosts: 2 },
  })
  await post({ event: 'red', rooms: ['red'] })
  await post({ event: 'others', except: ['red'] })
  await post({ event: 'large', args: ['x'.repeat(1_000_000)] })
  const large = ['large', 'x'.repeat(1_000_000)]
  const news = ['news', 'a', { b: [1, null] }]
  const inRed = [news, ['red'], large]
  const inNone = [news, ['others'], large]
  expect(await eventsOfAll()).toEqual([inRed, inNone, inRed, inNone])
  expect(await post({ event: 'news' }, 'wrong')).toMatchObject({ status: 401 })
  expect(await post({ event: 'connect' })).toMatchObject({ status: 400, answer: { ok: false } })
})

test('the command emits through the host on a data directory, or at a URL', async () => {
  const own = ['--data-dir', hosts.at(1).dataDir]
  const first = await emit([...own, '--room', 'red', '--room', 'blue', 'news', '1', '"two"', '{"three":3}'])
  expect(first).toMatchObject({ code: 0, stdout: 'emitted, on 2 hosts\n' })
  const url = ['--url', `${hosts.at(0).adminUrl}/`]
  const second = await emit([...url, '--except', 'red', '--json', 'other'])
  expect(second).toMatchObject({ code: 0, stdout: '{"ok":true,"hosts":2}\n' })
  const inRed = [['news', 1, 'two', { three: 3 }]]
  expect(await eventsOfAll()).toEqual([inRed, [['other']], inRed, [['other']]])
})

test('what it can not do has its reason and its exit code', async () => {
  const own = ['--data-dir', hosts.at(0).dataDir]
  expect(await emit([...own, 'news', '1', 'two'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('argument 2 after the event, two, is not JSON'),
  })
  expect(await emit([...own, 'news'], {})).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('EMIT_TOKEN'),
  })
  expect(await emit([...own, 'disconnect'])).toMatchObject({
    code: 17,
    stderr: expect.stringContaining('event: an event of Socket.IO itself'),
  })
  const wrong = { EMIT_TOKEN: 'a wrong token of more than thirty-two bytes' }
  expect(await emit([...own, 'news'], wrong)).toMatchObject({
    code: 17,
    stderr: expect.stringContaining('unauthenticated'),
  })
  expect(await emit(['--data-dir', `${hosts.at(0).dataDir}/none`, 'news'])).toMatchObject({
    code: 8,
    stderr: expect.stringContaining('no Rookery runs on DATA_DIR'),
  })
  // Its main port is no admin listener.
  expect(await emit(['--url', hosts.at(0).url, 'news'])).toMatchObject({ code: 8 })
  expect(await emit(['--url', 'host', 'news'])).toMatchObject({ code: 2 })
})
