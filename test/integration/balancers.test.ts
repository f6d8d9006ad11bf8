/** The shipped configurations of nginx and HAProxy, run in front of three hosts. */
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { introduce, metric, startHosts } from '../harness/hand-off/forwarding-hosts.ts'
import type { HandOffHost } from '../harness/hand-off/host.ts'
import { expectAnswers, TRANSPORTS } from '../harness/hand-off/stock-clients.ts'
import type { BalancerFile } from '../harness/network/balancer-programs.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { exchange } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

const CLIENTS = 45

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
  hosts = await startHosts(3, { workers: 1 })
})
afterAll(() => Promise.all(hosts.map((host) => host.stop())))

/** Starts another host in place of a stopped one. */
async function replace(gone: HandOffHost): Promise<void> {
  const [another] = await startHosts(1, { workers: 1 })
  if (another === undefined) throw new Error('no host')
  hosts[hosts.indexOf(gone)] = another
  await Promise.all(hosts.map((host) => introduce(host, hosts)))
}

const sent = async () => {
  const counts = await Promise.all(hosts.map((host) => metric(host, 'forward_sent_total')))
  return counts.reduce((sum, count) => sum + count)
}

describe.each(variants)('$name', ({ file, isSticky, edit }) => {
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
