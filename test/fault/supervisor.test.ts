import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningRookery, type StartOptions, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let directory: string
let app: string
const running: RunningRookery[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-app-'))
  app = join(directory, 'app.js')
})

afterEach(async () => {
  for (const rookery of running.splice(0)) await rookery.kill()
  await rm(directory, { recursive: true, force: true })
})

const GOOD_APP = 'module.exports = (io) => io.on("connection", (socket) => socket.emit("pid", process.pid))'

/** The log has a line for each worker that could not start, too. */
const EACH_DEATH = { LOG_LEVEL: 'debug' }

async function start(source: string, options: StartOptions = {}): Promise<RunningRookery> {
  await writeFile(app, source)
  const rookery = await startRookery({ ...options, args: ['--app', app, ...(options.args ?? [])] })
  running.push(rookery)
  return rookery
}

/** The pid of the worker that answers. */
async function answeringPid(rookery: RunningRookery): Promise<number> {
  const socket = io(rookery.url, { forceNew: true, transports: ['websocket'] })
  const pid = await new Promise<number>((resolve) => socket.once('pid', resolve))
  socket.disconnect()
  return pid
}

test.each([
  ['cannot be loaded', 'throw new Error("broken at load")', 'broken at load'],
  ['exports no function', 'module.exports = 42', 'has no default export that is a function'],
  ['ends as it starts', 'module.exports = () => process.exit(9)', undefined],
])('an application that %s: the host gives up with the matching exit code', async (_what, source, reason) => {
  const rookery = await start(source, { env: EACH_DEATH, untilReady: false })
  expect((await rookery.exited()).code).toBe(5)
  const last = rookery.log('workers keep crashing: giving up')
  expect(last).toBeDefined()
  if (reason !== undefined) expect(String(last?.reason)).toContain(reason)
  // Two workers: seven deaths in a row, and no more.
  expect(rookery.countLogs('worker died')).toBe(7)
})

test('a host that was ready once goes on, however often its workers die', async () => {
  const gate = join(directory, 'gate')
  await writeFile(gate, '')
  const gated = `const { existsSync } = require('node:fs')
  module.exports = async (io) => {
    while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 20))
    io.on('connection', (socket) => socket.emit('pid', process.pid))
  }`
  const rookery = await start(gated)
  // As it starts, a host of two workers gives up at the seventh death.
  for (let round = 1; round <= 5; round += 1) {
    await rookery.untilLog('worker ready', 2 * round)
    if (round === 5) await rm(gate)
    rookery.killWorker(1)
    rookery.killWorker(0)
    await rookery.untilLog('worker died', 2 * round)
  }
  const readiness = await fetch(`${rookery.url}/readyz`)
  expect(readiness.status).toBe(503)
  expect(await readiness.text()).toContain('the workers died and are started again')
  await writeFile(gate, '')
  await rookery.untilLog('worker ready', 12)
  expect((await fetch(`${rookery.url}/readyz`)).status).toBe(200)
  expect(rookery.workerPids()).toContain(await answeringPid(rookery))
})

test('a worker that never becomes ready is stopped, and counts as a crash', async () => {
  const never = 'module.exports = () => new Promise(() => undefined)'
  const env = { WORKER_BOOT_TIMEOUT_MS: '1000', WORKERS: '1' }
  const rookery = await start(never, { env, untilReady: false })
  await rookery.untilLog('worker died')
  expect(rookery.log('worker died')).toMatchObject({ signal: 'SIGKILL', reason: 'not ready within 1000 ms' })
})

test('a reload to an application that does not start keeps the old workers in service', async () => {
  const rookery = await start(GOOD_APP)
  const pids = rookery.workerPids()
  await writeFile(app, 'throw new Error("broken by the new version")')
  rookery.signal('SIGHUP')
  await rookery.untilLog('reload failed')
  expect(rookery.workerPids()).toEqual(pids)
  expect(pids).toContain(await answeringPid(rookery))

  await writeFile(app, GOOD_APP)
  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done')
  expect(pids).not.toContain(await answeringPid(rookery))
})

test('signals to the workers, as pm2 and a terminal send them, change nothing', async () => {
  const rookery = await start(GOOD_APP)
  const pids = rookery.workerPids()
  for (const pid of pids)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  // Each worker has handled its signals when it answers a client that connected after them.
  const answered = new Set<number>()
  await until(
    async () => answered.add(await answeringPid(rookery)).size === pids.length,
    'all workers answer',
  )
  expect(rookery.workerPids()).toEqual(pids)
  expect(rookery.log('worker died')).toBeUndefined()
})

test('a worker whose event loop hangs is detected, killed and replaced', async () => {
  const rookery = await start(
    `module.exports = (io) => io.on('connection', (socket) => {
    socket.emit('pid', process.pid)
    socket.on('hang', () => { for (;;); })
  })`,
    { env: { WORKER_HANG_TIMEOUT_MS: '600', WORKERS: '1' } },
  )
  const [hung] = rookery.workerPids()
  const socket = io(rookery.url, { forceNew: true, transports: ['websocket'] })
  await new Promise((resolve) => socket.once('pid', resolve))
  socket.emit('hang')
  await rookery.untilLog('worker died')
  expect(rookery.log('worker died')).toMatchObject({
    workerPid: hung,
    reason: 'it answered nothing for 600 ms',
  })
  await rookery.untilLog('worker ready', 2)
  expect(await answeringPid(rookery)).not.toBe(hung)
  socket.disconnect()
})

test('with APP_ERRORS=exit an error ends its worker, and is logged with its stack as the reason', async () => {
  const throwing = `module.exports = (io) => io.on('connection', (socket) => {
    socket.emit('pid', process.pid)
    socket.on('reject', () => { Promise.reject(new Error('nobody caught this')) })
  })`
  const rookery = await start(throwing, { env: { WORKERS: '1', APP_ERRORS: 'exit' } })
  const socket = io(rookery.url, { forceNew: true, transports: ['websocket'] })
  await new Promise((resolve) => socket.once('pid', resolve))
  socket.emit('reject')
  await rookery.untilLog('worker died')
  expect(rookery.log('worker died')).toMatchObject({ code: 1, reason: 'nobody caught this' })
  const fatal = rookery.log('uncaught exception: the worker exits')
  expect(JSON.stringify(fatal)).toContain('app.js')
  socket.disconnect()
})

test('a reload while a crashed worker waits for its restart: the same number of workers, all of them new', async () => {
  const rookery = await start(GOOD_APP, { env: EACH_DEATH })
  const before = rookery.workerNames()
  await writeFile(app, 'throw new Error("broken for a while")')
  rookery.killWorker(0)
  // The second crash in a row of a slot is followed by a pause.
  await rookery.untilLog('worker died', 3)
  await writeFile(app, GOOD_APP)
  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done')
  expect(rookery.workerNames()).toHaveLength(2)
  expect(rookery.workerNames().filter((name) => before.includes(name))).toEqual([])
})

test('a path with a space and non-ASCII letters works', async () => {
  const odd = join(directory, 'a b é')
  await symlink(fileURLToPath(new URL('../..', import.meta.url)), odd)
  const rookery = await startRookery({
    main: join(odd, 'dist', 'main.js'),
    nodeArgs: ['--preserve-symlinks', '--preserve-symlinks-main'],
    env: { DATA_DIR: join(directory, 'data é') },
  })
  running.push(rookery)
  const page = await fetch(rookery.url)
  expect(page.status).toBe(200)
})

test('a worker that does not exit is killed at the deadline, and the exit code shows it', async () => {
  const deaf = `module.exports = (io, context) =>
    context.onDrain({ settle: () => { for (;;); } }) ?? io.on('connection', (socket) => socket.emit('pid', 1))`
  const env = { DRAIN_MS: '200', STOP_DEADLINE_MS: '5200', WORKERS: '1' }
  const rookery = await start(deaf, { env })
  const socket = io(rookery.url, { forceNew: true, transports: ['websocket'], reconnection: false })
  await new Promise((resolve) => socket.once('pid', resolve))
  expect(await rookery.stop()).toBe(7)
  socket.disconnect()
})

test('a stop with clients: each is asked to reconnect, and the exit code is 0', async () => {
  const rookery = await startRookery({ env: { DRAIN_MS: '500' } })
  running.push(rookery)
  const sockets = Array.from({ length: 10 }, (_, index) =>
    io(rookery.url, {
      auth: { name: `n${index}` },
      forceNew: true,
      reconnection: false,
      transports: ['websocket'],
    }),
  )
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('welcome', resolve))))
  const told = sockets.map(
    (socket) =>
      new Promise((resolve) => {
        const events: unknown[] = []
        socket.once('draining', (notice) => events.push(notice))
        socket.once('disconnect', (reason) => resolve([...events, reason]))
      }),
  )
  expect(await rookery.stop()).toBe(0)
  for (const events of await Promise.all(told))
    expect(events).toEqual([{ reconnectInMs: expect.any(Number) }, 'transport close'])
})
