/** What an application does at `disconnect` is done before the worker exits, at a reload and at a stop. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const args = ['--app', new URL('../fixtures/apps/saves-at-disconnect.js', import.meta.url).pathname]

function connect({ url }: RunningRookery, name: string, transport: string) {
  const socket: Socket = io(url, { auth: { name }, transports: [transport], forceNew: true })
  onTestFinished(() => void socket.close())
  const client = { name, socket, connects: 0, ready: 0 }
  socket.on('connect', () => {
    client.connects += 1
  })
  socket.on('ready', () => {
    client.ready += 1
  })
  return client
}

test('promises of disconnect listeners are awaited at a reload and at a stop', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-saved-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'saved')
  const rookery = await startRookery({ args, env: { SAVED: file, DRAIN_MS: '200' } })
  onTestFinished(() => rookery.kill())
  const clients = Array.from({ length: 6 }, (_, index) =>
    connect(rookery, `n${index}`, index % 2 === 0 ? 'websocket' : 'polling'),
  )
  /** How often each client was saved. */
  const saved = async () => {
    const lines = (await readFile(file, 'utf8')).split('\n')
    return clients.map(({ name }) => lines.filter((line) => line === name).length)
  }
  await until(() => clients.every(({ ready }) => ready === 1), 'all have connected')

  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done')
  // A client may have moved twice: to a worker that was to be replaced next.
  const isBack = ({ socket, connects, ready }: (typeof clients)[number]) =>
    socket.connected && ready === connects && ready > 1
  await until(() => clients.every(isBack), 'all are back')
  expect(await saved()).toEqual(clients.map(({ ready }) => ready - 1))

  rookery.signal('SIGTERM')
  expect((await rookery.exited()).code).toBe(0)
  expect(await saved()).toEqual(clients.map(({ ready }) => ready))
})

test('one that never ends holds the worker no longer than its deadline, and the stop hooks run', async () => {
  const env = { WORKERS: '1', NEVER: 'yes', DRAIN_MS: '200', STOP_DEADLINE_MS: '5200' }
  const rookery = await startRookery({ args, env })
  onTestFinished(() => rookery.kill())
  const client = connect(rookery, 'n', 'websocket')
  await until(() => client.ready === 1, 'it has connected')
  rookery.signal('SIGTERM')
  await rookery.exited()
  const late = "the application's listeners for `disconnect` took too long: the worker exits without them"
  expect(rookery.log(late)).toMatchObject({ count: 1 })
  expect(rookery.log('the stop hook runs')).toMatchObject({ hasTime: true })
})
