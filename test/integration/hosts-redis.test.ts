/** Two hosts and a Redis that drops connections, is paused, ends, or forbids subscriptions. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AdapterHost } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

let hosts: AdapterHost

beforeAll(async () => {
  // A host detects sooner than by default that it receives nothing.
  const backplane = { beatMs: 500, echoTimeoutMs: 3_000 }
  hosts = await AdapterHost.start(4, { adapter: { answerTimeoutMs: BEYOND_MS }, backplane }, 'two hosts')
})

afterEach(() => hosts.disconnectClients())
afterAll(() => hosts.stop())

const count = (worker: string, nsp = '/') =>
  hosts.run(worker, ({ io }, name) => io.of(name).adapter.serverCount(), nsp)

const fetched = (worker: string) =>
  hosts.run(worker, async ({ io }) => (await io.timeout(600_000).fetchSockets()).length)

const hearing = () => hosts.metric('rookery_backplane_hears')

/** An emit on one host reaches the clients of both, and each host's requests reach all workers. */
async function expectWhole(): Promise<void> {
  for (const [from, to] of [
    ['w1', 'w2'],
    ['w2', 'w1'],
  ] as const) {
    const { received } = await hosts.connect(to, { rooms: ['whole'] })
    await hosts.run(from, ({ io }) => void io.to('whole').emit('end'))
    await received.until('end')
  }
  for (const worker of hosts.workers) {
    await until(async () => (await count(worker)) === 4, `${worker} counts all`)
    expect(await fetched(worker)).toBe(2)
  }
}

describe('when the subscriptions are killed again and again', () => {
  it('groups recover, and later emits arrive', async () => {
    const spaces = Array.from({ length: 8 }, (_, index) => `/dynamic-kill${index}`)
    for (const nsp of spaces) {
      await hosts.connect('w2', { nsp })
      await hosts.redis.cli('client', 'kill', 'type', 'pubsub')
      // The messages of this may not reach the other host.
      await hosts.connect('w1', { nsp })
    }
    for (const nsp of spaces)
      for (const worker of ['w1', 'w2'])
        await until(async () => (await count(worker, nsp)) === 2, `${worker} knows who serves ${nsp}`)
    await hosts.disconnectClients()
    await until(async () => (await hearing()) === 2, 'both hosts receive messages')
    await expectWhole()
    expect(await hosts.metric('rookery_hosts_gone_total')).toBe(0)
  })
})

describe('while Redis is unavailable', () => {
  it('each host works by itself, and both are one cluster again when Redis is back', async () => {
    const near = await hosts.connect('w3', { rooms: ['red'] })
    await hosts.connect('w2', { rooms: ['red'] })
    await hosts.redis.kill()
    await hosts.run('w1', ({ io }) => void io.to('red').emit('near'))
    await near.received.until('near')
    const joiner = await hosts.connect('w3', { rooms: ['a new room'] })
    await hosts.run('w1', ({ io }) => void io.to('a new room').emit('joined late'))
    await joiner.received.until('joined late')
    expect(await fetched('w1')).toBe(2)
    await hosts.disconnectClients()
    await until(async () => (await hearing()) === 0, 'both hosts know that they receive nothing')
    await hosts.redis.start()
    await until(async () => (await hearing()) === 2, 'both hosts receive messages')
    await expectWhole()
  })

  it('or paused, no unreachable worker gets requests, and nothing is delayed here', async () => {
    const near = await hosts.connect('w3', { rooms: ['red'] })
    hosts.redis.pause()
    await hosts.run('w1', ({ io }) => void io.to('red').emit('near'))
    await near.received.until('near')
    expect(await fetched('w1')).toBe(1)
    await hosts.disconnectClients()
    hosts.redis.resume()
    await until(async () => (await hearing()) === 2, 'both hosts receive messages')
    await expectWhole()
  })
})

describe('a host that may not subscribe', () => {
  it('detects that it receives nothing, and recovers when it may subscribe again', async () => {
    await hosts.redis.cli('acl', 'setuser', 'default', 'resetchannels')
    await until(async () => (await hearing()) === 0, 'both hosts know that they receive nothing')
    await hosts.redis.cli('acl', 'setuser', 'default', 'allchannels')
    await until(async () => (await hearing()) === 2, 'both hosts receive messages')
    await expectWhole()
  })
})
