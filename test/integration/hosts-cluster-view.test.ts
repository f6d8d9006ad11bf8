/** `context.cluster` on one host, and on two over a real Redis, one of which is killed. */
import { io, type Socket } from 'socket.io-client'
import { afterEach, expect, test } from 'vitest'
import type { ClusterHost } from '../../src/wire/app.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { until } from '../harness/until.ts'

const args = ['--app', new URL('../fixtures/apps/cluster-view.js', import.meta.url).pathname]
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

const hostsAt = async ({ url }: RunningRookery) =>
  (await (await fetch(`${url}/hosts`)).json()) as (ClusterHost | undefined)[]

async function connect({ url }: RunningRookery): Promise<Socket> {
  const socket = io(url, { forceNew: true, transports: ['websocket'] })
  sockets.push(socket)
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return socket
}

/** What `rookery` knows of the host at `index` in its list is `expected`, sooner or later. */
const untilKnown = (rookery: RunningRookery, index: number, expected: Partial<ClusterHost>) =>
  until(async () => {
    const host = (await hostsAt(rookery))[index]
    return Object.entries(expected).every(([key, value]) => host?.[key as keyof ClusterHost] === value)
  }, JSON.stringify(expected))

test('one host knows itself: its workers and connections, now', async () => {
  const rookery = await startRookery({ args, env: { WORKERS: '2', HOST_NAME: 'alone' } })
  try {
    const startedAt = Date.now()
    const first = await connect(rookery)
    await connect(rookery)
    const own = { name: 'alone', isOwn: true, state: 'ok', workers: 2, connections: 2 } as const
    await untilKnown(rookery, 0, own)
    const hosts = await hostsAt(rookery)
    expect(hosts).toEqual([{ ...own, asOf: expect.any(Number) }])
    expect(hosts[0]?.asOf).toBeGreaterThanOrEqual(startedAt)
    first.close()
    await untilKnown(rookery, 0, { connections: 1 })
  } finally {
    await rookery.kill()
  }
})

test('two hosts know each other, with the time of the numbers, and a killed one is forgotten', async () => {
  const hosts = await LoopbackHosts.start({ hosts: 2, workersPerHost: 1, args })
  try {
    const [one, two] = [hosts.at(0), hosts.at(1)]
    await connect(two)
    const other = { name: 'rookery-2', isOwn: false, state: 'ok', workers: 1, connections: 1 } as const
    await untilKnown(one, 1, other)
    await untilKnown(two, 1, { name: 'rookery-1', connections: 0, workers: 1 })
    const [, before] = await hostsAt(one)
    await until(async () => ((await hostsAt(one))[1]?.asOf ?? 0) > (before?.asOf ?? 0), 'newer numbers came')
    two.process.kill('SIGKILL')
    await until(async () => (await hostsAt(one)).length === 1, 'the killed host is forgotten')
    expect((await hostsAt(one))[0]).toMatchObject({ name: 'rookery-1', isOwn: true })
  } finally {
    await hosts.stop()
  }
})
