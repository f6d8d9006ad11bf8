/** The applications in examples/, on two workers, on a version of Node.js that runs TypeScript. */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import parser from 'socket.io-msgpack-parser'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { ownerOf } from '../../src/core/session-id.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'
import { supportedNodes } from '../harness/node-versions.ts'
import { startTestRedis } from '../harness/redis/for-test.ts'
import { until } from '../harness/until.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const node = supportedNodes.find(({ major }) => major === 24)?.path
const WORKERS = 2

type Options = Partial<ManagerOptions & SocketOptions>

/** A client and all that it was sent. */
interface Client {
  readonly socket: Socket
  readonly received: unknown[][]
}

async function start(app: string, env: Record<string, string> = {}): Promise<RunningRookery> {
  const rookery = await startRookery({
    ...(node === undefined ? {} : { node }),
    cwd: ROOT,
    args: ['--app', join('examples', app)],
    env: { WORKERS: String(WORKERS), ...env },
  })
  onTestFinished(async () => {
    await rookery.kill()
  })
  return rookery
}

/** It leaves nothing open, and no handler has failed. */
async function ends(rookery: RunningRookery): Promise<void> {
  expect(await rookery.stop()).toBe(0)
  expect(rookery.countLogs('an error in the application')).toBe(0)
  expect(rookery.countLogs('worker died')).toBe(0)
  expect(rookery.otherOutput).toEqual([])
}

const opened: Socket[] = []
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close()
})

/** One client per worker. Others stay open: a new session goes to the worker with the fewest connections. */
async function clients({ url }: RunningRookery, options: Options = {}): Promise<Client[]> {
  const found = new Map<string, Client>()
  while (found.size < WORKERS) {
    const made = client(url, options)
    await until(() => made.socket.connected, 'it is connected')
    const owner = ownerOf(made.socket.io.engine.id ?? '') ?? ''
    if (!found.has(owner)) found.set(owner, made)
  }
  return [...found.values()]
}

function client(url: string, options: Options): Client {
  const socket = io(url, { forceNew: true, transports: ['websocket'], ...options })
  opened.push(socket)
  const received: unknown[][] = []
  socket.onAny((...event: unknown[]) => received.push(event))
  return { socket, received }
}

/** All of them get this event. */
const get = (those: readonly Client[], event: string, ...args: unknown[]): Promise<unknown> =>
  Promise.all(
    those.map(({ received }) =>
      until(
        () => received.some((each) => isDeepStrictEqual(each, [event, ...args])),
        `${event} arrives`,
        () => JSON.stringify(received),
      ),
    ),
  )

const occurs = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)))

const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

test('passport: one log-in serves HTTP and Socket.IO, on all workers', async () => {
  const redis = await startTestRedis()
  const rookery = await start('passport/app.ts', { REDIS_URL: redis.url })
  const { url } = rookery
  const stranger = client(url, {})
  expect(await occurs(stranger.socket, 'connect_error')).toMatchObject([{ message: 'log in first' }])

  expect((await post(`${url}/login`, {})).status).toBe(400)
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ada', password: 'open sesame' }),
  })
  expect(await login.json()).toEqual({ name: 'ada' })
  const Cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const members = await clients(rookery, { extraHeaders: { Cookie } })
  await get(members, 'welcome', 'ada')
  for (const { socket } of members) expect(await socket.emitWithAck('whoami')).toBe('ada')
  members[0]?.socket.emit('say', 'hello')
  await get(members, 'said', { from: 'ada', text: 'hello' })

  // Logging out, on whichever worker, ends the session's sockets on all.
  const ended = members.map(({ socket }) => occurs(socket, 'disconnect'))
  expect((await post(`${url}/logout`, {}, { Cookie })).status).toBe(204)
  for (const [reason] of await Promise.all(ended)) expect(reason).toBe('io server disconnect')
  await ends(rookery)
})

test('nestjs: a gateway and a controller emit to rooms on all workers', async () => {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const compiled = await run(tsc, ['-p', 'examples/nestjs'], { cwd: ROOT })
  expect([compiled.code, compiled.stdout]).toEqual([0, ''])
  const rookery = await start('nestjs/dist/app.js')
  const members = await clients(rookery)
  for (const { socket } of members) {
    expect(await socket.emitWithAck('join', 'news')).toEqual({ joined: 'news' })
  }
  members[0]?.socket.emit('say', { room: 'news', text: 'by the gateway' })
  await get(members, 'said', 'by the gateway')
  expect((await post(`${rookery.url}/rooms/news`, { text: 'by the controller' })).status).toBe(202)
  await get(members, 'said', 'by the controller')
  expect((await fetch(`${rookery.url}/nothing`)).status).toBe(404)
  await ends(rookery)
})

test('fastify-msgpack: routes and packets with binary data', async () => {
  const rookery = await start('fastify-msgpack/app.ts')
  const members = await clients(rookery, { parser })
  const watching = []
  for (const { socket } of members) watching.push(await socket.emitWithAck('watch', 'roof'))
  expect(watching).toEqual([1, 2])
  const url = `${rookery.url}/measurements/roof`
  const posted = await post(url, { values: [1.5, -2] })
  expect([posted.status, await posted.json()]).toEqual([202, { accepted: 2 }])
  await get(members, 'measured', { sensor: 'roof', values: [1.5, -2] })
  expect((await post(url, { values: ['warm'] })).status).toBe(400)

  const [sender, receiver] = members
  const pixels = Buffer.from([0, 255, 128])
  sender?.socket.emit('frame', 'roof', pixels)
  await get(receiver === undefined ? [] : [receiver], 'frame', 'roof', pixels)
  await ends(rookery)
})

test('presence: who is where, and notes that survive a worker', async () => {
  const rookery = await start('presence/app.ts')
  expect(await (await fetch(rookery.url)).text()).toContain('<title>Who is where</title>')
  const [ada, dashboard] = await clients(rookery)
  if (ada === undefined || dashboard === undefined) throw new Error('they are two')
  const user = { id: 'ada', name: 'Ada' }
  expect(await ada.socket.emitWithAck('enter', 'sales', user)).toEqual({ members: [user], count: 1 })
  await get([dashboard], 'people', 'sales', { joined: [user], left: [], count: 1 })
  expect(await ada.socket.emitWithAck('note', 'sales', 'n1', 'first')).toBe(1)
  await until(() => notesOf(dashboard).includes('first'), 'the note arrives')
  ada.socket.close()
  await get([dashboard], 'people', 'sales', { joined: [], left: [{ id: 'ada' }], count: 0 })

  for (const pid of rookery.workerPids()) process.kill(pid, 'SIGKILL')
  const later = client(rookery.url, {})
  await until(() => notesOf(later).includes('first'), 'the note is still there')
  await rookery.untilLog('worker ready', 2 * WORKERS)
  expect(await rookery.stop()).toBe(0)
})

test('bot: a program writes to the clients through Redis', async () => {
  const redis = await startTestRedis()
  const env = { REDIS_URL: redis.url, EMITTER: 'on' }
  const rookery = await start('bot/app.ts', env)
  const metrics = async () => (await fetch(`${rookery.adminUrl}/metrics`)).text()
  await until(
    async () => /^rookery_emitter_subscribed.* 1$/m.test(await metrics()),
    'the host hears the emitters',
  )
  const members = await clients(rookery)
  for (const { socket } of members) await socket.emitWithAck('join', 'news')
  const bot = await run(node ?? process.execPath, ['examples/bot/bot.ts', 'news', 'good morning'], {
    cwd: ROOT,
    env,
  })
  expect([bot.code, bot.stderr]).toEqual([0, ''])
  await get(members, 'said', { from: 'bot', text: 'good morning' })
  await ends(rookery)
})

/** The texts of `sales`. */
const notesOf = ({ received }: Client): string[] =>
  received
    .filter(([event, room]) => event === 'notes' && room === 'sales')
    .flatMap(([, , notes]) => notes as { text: string }[])
    .map(({ text }) => text)
