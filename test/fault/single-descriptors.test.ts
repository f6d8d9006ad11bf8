/**
 * The primary and then a worker have no file descriptor left, under load: nothing crashes, no CPU core is
 * kept busy, everything recovers.
 */
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'
import { cpuMs } from '../harness/faults/process.ts'
import { underLoad, untilMoreAcked } from '../harness/members/under-load.ts'
import { until } from '../harness/until.ts'

const HANG_TIMEOUT_MS = 3_000
const CONNECTING = 100
const RECONNECT_AFTER_MS = 1_000
const NEWCOMERS = 40
const WATCHED_MS = 2_000

let rookery: RunningRookery

beforeAll(async () => {
  rookery = await startRookery({
    env: {
      WORKERS: '2',
      WORKER_HANG_TIMEOUT_MS: String(HANG_TIMEOUT_MS),
      CONNECTIONS_PER_USER: '0',
      ...UNLIMITED_RATES,
    },
  })
})

afterAll(() => rookery?.kill())

async function limitDescriptors(pid: number, soft: number): Promise<void> {
  const { code, stderr } = await run('prlimit', ['--pid', String(pid), `--nofile=${soft}:`])
  if (code !== 0) throw new Error(stderr)
}

/**
 * The system compares the next descriptor's number with the limit, so the process gets none. @returns a
 * function that undoes it
 */
async function exhaust(pid: number): Promise<() => Promise<void>> {
  const open = new Set((await readdir(`/proc/${pid}/fd`)).map(Number))
  let next = 0
  while (open.has(next)) next += 1
  await limitDescriptors(pid, next)
  return () => limitDescriptors(pid, 10_000)
}

test('the primary has none: it closes new connections and keeps no CPU core busy', async () => {
  const undo = await exhaust(rookery.pid)
  const sockets = Array.from({ length: CONNECTING }, () => keepConnecting(rookery.port))
  try {
    await until(() => sockets.every(({ closed }) => closed() > 0), 'all connections have been closed')
    const [usedBefore, from] = [await cpuMs(rookery.pid), performance.now()]
    await delay(WATCHED_MS)
    const share = ((await cpuMs(rookery.pid)) - usedBefore) / (performance.now() - from)
    expect(share).toBeLessThan(0.5)
  } finally {
    for (const { end } of sockets) end()
    await undo()
  }
  expect((await fetch(`${rookery.url}/readyz`)).status).toBe(200)
})

test('the primary and then a worker have none, under load: no message is lost, newcomers are admitted, and no process ends', async () => {
  const [starved = ''] = rookery.workerNames()
  const [pid = 0] = rookery.workerPids()
  const newcomers: ChatClient[] = []
  try {
    await underLoad({ url: rookery.url, label: 'none-' }, async (crowd) => {
      const undoPrimary = await exhaust(rookery.pid)
      await untilMoreAcked(crowd)
      await undoPrimary()
      const undoWorker = await exhaust(pid)
      try {
        for (let n = 0; n < NEWCOMERS; n += 1)
          newcomers.push(
            new ChatClient(rookery.url, { auth: { name: `Newcomer ${n}` }, reconnectionDelay: 50 }),
          )
        await until(
          () => newcomers.every((one) => one.all('welcome').length > 0),
          'every newcomer is admitted',
        )
        // Longer than a worker may stay silent.
        await delay(HANG_TIMEOUT_MS * 1.5)
      } finally {
        await undoWorker()
      }
    })
    await until(async () => {
      const guest = await ChatClient.guest(rookery.url, 'Somebody')
      newcomers.push(guest)
      return guest.welcome.worker === starved
    }, 'the worker accepts connections again')
  } finally {
    for (const one of newcomers) one.close()
  }
  expect(rookery.log('worker died')).toBeUndefined()
})

/** Connects again whenever it is closed. */
function keepConnecting(port: number): { closed: () => number; end: () => void } {
  let closed = 0
  let over = false
  let socket: Socket | undefined
  const connectAgain = () => {
    socket = connect(port, '127.0.0.1')
    // A refused connection may end with a reset.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      closed += 1
      if (!over) setTimeout(connectAgain, RECONNECT_AFTER_MS)
    })
  }
  connectAgain()
  return {
    closed: () => closed,
    end: () => {
      over = true
      socket?.destroy()
    },
  }
}
