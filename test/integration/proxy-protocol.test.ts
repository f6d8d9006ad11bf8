/** The PROXY protocol: from real HAProxy and nginx, and byte by byte. */
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRookery } from '../harness/cluster/cluster.ts'
import { metric, openSession, startHosts } from '../harness/hand-off/forwarding-hosts.ts'
import { HandOffHost, metricSum } from '../harness/hand-off/host.ts'
import type { BalancerFile } from '../harness/network/balancer-programs.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { exchange, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

/** Where the clients are; the balancers and the hosts are at 127.0.0.1. */
const CLIENT = '127.0.0.7'
const ADDRESS = 'GET /address HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.2 51000 80\r\n'
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c6336402c73801bb', 'hex')
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')

const variants: { name: string; file: BalancerFile; edit?: (text: string) => string }[] = [
  { name: 'HAProxy with version 2', file: 'haproxy-proxy.cfg' },
  {
    name: 'HAProxy with version 1',
    file: 'haproxy-proxy.cfg',
    edit: (text) => text.replace('send-proxy-v2', 'send-proxy'),
  },
  { name: 'nginx', file: 'nginx-stream.conf' },
]

interface Seen {
  address: string
  port: number
}

async function seen(request: string, port: number): Promise<Seen & { ownPort: number | undefined }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: CLIENT })
  await once(socket, 'connect')
  const ownPort = socket.localPort
  const answer = readToEnd(socket)
  socket.write(request)
  return { ...(JSON.parse(parseAnswer(await answer).body) as Seen), ownPort }
}

describe('two hosts behind a balancer', () => {
  let hosts: HandOffHost[] = []
  beforeAll(async () => {
    hosts = await startHosts(2, { workers: 1, proxyProtocolFrom: ['127.0.0.1'] })
  })
  afterAll(() => Promise.all(hosts.map((host) => host.stop())))

  it.each(variants)(
    'see the address of each client behind $name, also through each other',
    async (variant) => {
      const { file, edit } = variant
      const ports = hosts.map(({ port }) => port)
      const balancer = await RealBalancer.start(file, ports, edit)
      try {
        const { address, port, ownPort } = await seen(ADDRESS, balancer.port)
        expect([address, port]).toEqual([CLIENT, ownPort])

        const sid = await openSession(balancer.port)
        const forwarded = async () => {
          const counts = await Promise.all(hosts.map((host) => metric(host, 'forward_sent_total')))
          return counts.reduce((sum, count) => sum + count)
        }
        const before = await forwarded()
        // The balancer sends them to either host; the host of the session answers.
        await until(async () => {
          const { address: told } = await seen(
            ADDRESS.replace('/address', `/address?sid=${sid}`),
            balancer.port,
          )
          expect(told).toBe(CLIENT)
          return (await forwarded()) > before
        }, 'a request arrives at the other host')
        for (const host of hosts) expect(await metric(host, 'front_swallowed_bytes_total')).toBe(0)
      } finally {
        await balancer.stop()
      }
    },
  )
})

describe('a host that expects it', () => {
  let host: HandOffHost
  beforeAll(async () => {
    host = await HandOffHost.start({ workers: 1, proxyProtocolFrom: ['10.0.0.0/8', '127.0.0.0/8'] })
  })
  afterAll(() => host.stop())

  const addressAfter = async (...pieces: (string | Buffer)[]) =>
    JSON.parse((await exchange(host.port, ...pieces)).body) as Seen

  it('takes the address, however the header is split', async () => {
    for (const header of [Buffer.from(V1), V2]) {
      const client = { address: '192.0.2.1', port: 51_000 }
      expect(await addressAfter(header, ADDRESS)).toMatchObject(client)
      expect(await addressAfter(Buffer.concat([header, Buffer.from(ADDRESS)]))).toMatchObject(client)
      expect(await addressAfter(...[...header].map((byte) => Buffer.of(byte)), ADDRESS)).toMatchObject(client)
    }
    expect(metricSum(await host.report(), 'rookery_front_swallowed_bytes_total')).toBe(0)
  })

  it('keeps the address of the connection when the header tells none', async () => {
    for (const header of ['PROXY UNKNOWN\r\n', LOCAL]) {
      expect((await addressAfter(header, ADDRESS)).address).toBe('127.0.0.1')
    }
  })

  it('refuses requests without it, and malformed ones, and says so in the log', async () => {
    await host.report()
    expect((await exchange(host.port, ADDRESS)).status).toBe(400)
    expect((await exchange(host.port, 'PROXY TCP4 a b 1 2\r\n', ADDRESS)).status).toBe(400)
    const { logged } = await host.report()
    expect(logged).toHaveLength(1)
    expect(logged[0]).toMatchObject({ remoteAddress: '127.0.0.1' })
    expect(logged[0]?.msg).toContain(
      'a connection from PROXY_PROTOCOL_FROM did not begin with a valid header',
    )
  })

  it('answers probes without it', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const request = ADDRESS.replace('/address', path)
      expect((await exchange(host.port, request)).status).toBe(200)
    }
  })
})

describe('a host that does not expect it', () => {
  let host: HandOffHost
  beforeAll(async () => {
    host = await HandOffHost.start({ workers: 0, proxyProtocolFrom: ['192.0.2.0/24'] })
  })
  afterAll(() => host.stop())

  it.each([
    ['PROXY protocol', V1],
    ['PROXY protocol', V2],
    ['TLS', Buffer.from('16030102000100', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('says in the log that the %s came', async (protocol, bytes) => {
    const started = host
    expect((await exchange(started.port, bytes)).status).toBe(400)
    const { logged } = await started.report()
    // At most one line a minute of each kind.
    if (bytes === V2) expect(logged).toEqual([])
    else
      expect(logged.map(({ msg }) => msg).join()).toContain(
        `began with ${protocol.replace('PROXY', 'the PROXY')}`,
      )
  })
})

it('an application behind HAProxy gets the address in the handshake', async () => {
  const app = new URL('../fixtures/apps/address.js', import.meta.url).pathname
  const rookery = await startRookery({
    args: ['--app', app],
    env: { WORKERS: '1', PROXY_PROTOCOL_FROM: '127.0.0.1' },
  })
  const balancer = await RealBalancer.start('haproxy-proxy.cfg', [rookery.port])
  try {
    for (const transport of ['polling', 'websocket']) {
      const agent = new Agent({ localAddress: CLIENT })
      const client = io(balancer.url, { transports: [transport], agent: agent as never, forceNew: true })
      const address = await new Promise((resolve) => client.once('address', resolve))
      client.disconnect()
      expect(address).toBe(CLIENT)
    }
  } finally {
    await balancer.stop()
    expect(await rookery.stop()).toBe(0)
  }
})
