/** The shipped configurations of nginx and HAProxy, run in front of three hosts. */
import { Agent } from 'node:http'
import { io, type ManagerOptions, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { introduce, metric, startHosts } from '../harness/hand-off/forwarding-hosts.ts'
import type { HandOffHost } from '../harness/hand-off/host.ts'
import { expectAnswers, TRANSPORTS } from '../harness/hand-off/stock-clients.ts'
import type { BalancerFile } from '../harness/network/balancer-programs.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { exchange } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

const CLIENTS = 45
/** Connections from the balancer carry requests for both workers, and for other hosts. */
const HOSTS = { workers: 2, keepAliveMs: 65_000 }

interface Variant {
  name: string
  file: BalancerFile
  isSticky: boolean
  edit?: (text: string) => string
}

const variants: Variant[] = [
  { name: 'nginx', file: 'nginx.conf', isSticky: false },
  {
    name: 'nginx that keeps no connections to the hosts',
    file: 'nginx.conf',
    isSticky: false,
    edit: (text) => text.replace(/^\s*keepalive 64;$/m, ''),
  },
  { name: 'sticky nginx', file: 'nginx-sticky.conf', isSticky: true },
  { name: 'HAProxy', file: 'haproxy.cfg', isSticky: false },
  {
    name: 'HAProxy that keeps no connections to the hosts',
    file: 'haproxy.cfg',
    isSticky: false,
    edit: (text) => text.replace('mode http\n', 'mode http\n    option httpclose\n'),
  },
  { name: 'sticky HAProxy', file: 'haproxy-sticky.cfg', isSticky: true },
]

let hosts: HandOffHost[] = []
beforeAll(async () => {
  hosts = await startHosts(3, HOSTS)
})
afterAll(() => Promise.all(hosts.map((host) => host.stop())))

/** Starts another host in place of a stopped one. */
async function replace(gone: HandOffHost): Promise<void> {
  const [another] = await startHosts(1, HOSTS)
  if (another === undefined) throw new Error('no host')
  hosts[hosts.indexOf(gone)] = another
  await Promise.all(hosts.map((host) => introduce(host, hosts)))
}

async function sum(name: string, labels: Record<string, string> = {}): Promise<number> {
  const counts = await Promise.all(hosts.map((host) => metric(host, name, labels)))
  return counts.reduce((total, count) => total + count)
}
const sent = () => sum('forward_sent_total')

describe.each(variants)('$name', ({ file, isSticky, edit }) => {
  const keepsNone = edit !== undefined
  let balancer: RealBalancer
  beforeAll(async () => {
    balancer = await RealBalancer.start(
      file,
      hosts.map(({ port }) => port),
      edit,
    )
  })
  afterAll(() => balancer.stop())

  function connectClient(withTransports: string[]): { client: Socket; failures: string[] } {
    const failures: string[] = []
    // With credentials the client keeps cookies, as browsers do.
    const client = io(balancer.url, {
      transports: withTransports,
      forceNew: true,
      timeout: 60_000,
      withCredentials: true,
    })
    client.on('connect_error', (error) => failures.push(explain(error)))
    client.on('disconnect', (reason) => failures.push(reason))
    return { client, failures }
  }

  test.each(TRANSPORTS)('stock clients with %s are served', async (_, names, upgrades) => {
    const before = await sent()
    const all = Array.from({ length: CLIENTS }, () => connectClient(names))
    const clients = all.map(({ client }) => client)
    await expectAnswers(clients, upgrades)
    expect(all.flatMap(({ failures }) => failures)).toEqual([])
    const forwarded = (await sent()) - before
    if (isSticky || !names.includes('polling')) expect(forwarded).toBe(0)
    else expect(forwarded).toBeGreaterThan(CLIENTS / 3)
    for (const client of clients) client.disconnect()
  })

  test('requests for any worker share its connections to a host, if it keeps them', async () => {
    const [onlyHost] = hosts
    if (onlyHost === undefined) throw new Error('no host')
    const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true }))
    const one = await RealBalancer.start(file, [onlyHost.port], edit)
    try {
      const before = await sum('front_connections_total')
      // Each has connections of its own, as a browser has. HAProxy shares those that come with kept ones.
      const clients = agents.map((agent) => {
        const options: Partial<ManagerOptions> = {
          transports: ['polling'],
          forceNew: true,
          timeout: 60_000,
        }
        // The client's types know only the agent of a browser.
        Reflect.set(options, 'agent', agent)
        return io(one.url, options)
      })
      await expectAnswers(clients, false)
      for (let round = 0; round < 10; round += 1)
        for (const client of clients) expect((await client.emitWithAck('echo', round)).value).toBe(round)
      const connections = (await sum('front_connections_total')) - before
      // A message and its answer are two requests or more.
      if (keepsNone) expect(connections).toBeGreaterThan(120)
      else {
        expect(connections).toBeLessThan(60)
        expect(await sum('front_handed_back_total')).toBeGreaterThan(0)
      }
      expect(await sum('front_swallowed_bytes_total')).toBe(0)
      for (const client of clients) client.disconnect()
    } finally {
      for (const agent of agents) agent.destroy()
      await one.stop()
    }
  })

  test('hosts see the real address of the client, even if it sends forwarding headers', async () => {
    const answer = await exchange(
      balancer.port,
      'GET /address HTTP/1.1\r\nHost: chat.example\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n',
    )
    const body = answer.body.slice(answer.body.indexOf('{'), answer.body.lastIndexOf('}') + 1)
    expect(JSON.parse(body).headers).toMatchObject({
      host: 'chat.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    })
  })

  test('a message of the largest allowed size passes', async () => {
    for (const [, names] of TRANSPORTS) {
      const { client, failures } = connectClient(names)
      const large = 'x'.repeat(600_000)
      expect((await client.emitWithAck('echo', large)).value).toHaveLength(large.length)
      expect(failures).toEqual([])
      client.disconnect()
    }
  })

  test('a lost host costs its own clients a reconnect and affects no others', async () => {
    const all = Array.from({ length: 15 }, () => connectClient(['websocket']))
    await Promise.all(all.map(({ client }) => client.emitWithAck('echo', 'hello')))
    const isOf = (host: HandOffHost, { client }: (typeof all)[0]) => client.io.engine.id?.startsWith(host.tag)
    const gone = hosts.find((host) => all[0] !== undefined && isOf(host, all[0]))
    if (gone === undefined) throw new Error('no host has the session')
    const owned = all.map((one) => (isOf(gone, one) ? ['transport close'] : []))
    await gone.stop()
    await until(
      () => all.every(({ failures }, n) => failures.length >= (owned[n]?.length ?? 0)),
      'its clients are disconnected',
    )
    await until(() => all.every(({ client }) => client.connected), 'all clients are connected')
    expect(all.map(({ failures }) => failures)).toEqual(owned)
    const late = Array.from({ length: 15 }, () => connectClient(['polling', 'websocket']))
    await Promise.all(late.map(({ client }) => client.emitWithAck('echo', 'hello')))
    expect(late.flatMap(({ failures }) => failures)).toEqual([])
    for (const { client } of [...all, ...late]) client.disconnect()
    await replace(gone)
  })
})

/** The error's message and the HTTP status that the client keeps beside it. */
function explain(error: Error): string {
  const { description } = error as { description?: unknown }
  return `${error.message} ${String(description)}`
}
