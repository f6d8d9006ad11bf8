/** Balancers beside those of hosts-balancers, all in front of the same two hosts, which are replaced one after the other. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { Conversation } from '../harness/members/conversation.ts'
import { Member } from '../harness/members/member.ts'
import type { BalancerFile } from '../harness/network/balancer-programs.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { exchange } from '../harness/network/raw-http.ts'

const APP = new URL('../fixtures/apps/chat-and-headers.js', import.meta.url).pathname

const readHttp: BalancerFile[] = ['apache.conf', 'Caddyfile', 'lighttpd.conf', 'varnish.vcl', 'squid.conf']
const files: BalancerFile[] = [...readHttp, 'haproxy-tcp.cfg']

/** Of the members behind each balancer. */
const TRANSPORTS = ['polling', 'polling', 'polling', 'websocket']

let hosts: LoopbackHosts
const balancers = new Map<BalancerFile, RealBalancer>()

beforeAll(async () => {
  // Several times as long as the interval of the checks, so that these see it on a slow machine too.
  const env = { STOP_DELAY_MS: '8000' }
  hosts = await LoopbackHosts.start({ hosts: 2, workersPerHost: 1, args: ['--app', APP], env })
  for (const file of files) balancers.set(file, await RealBalancer.start(file, hosts.ports))
})
afterAll(async () => {
  for (const balancer of balancers.values()) await balancer.stop()
  await hosts.stop()
})

test.each(readHttp)(
  '%s passes the real address of the client, even if it sends forwarding headers',
  async (file) => {
    const answer = await exchange(
      balancers.get(file)?.port ?? 0,
      'GET /headers HTTP/1.1\r\nHost: chat.example\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n',
    )
    expect(JSON.parse(/\{.*\}/.exec(answer.body)?.[0] ?? '')).toMatchObject({
      host: 'chat.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    })
  },
)

/** Requests of a session of host `owner` that arrive at host `at` while that starts. @returns the answers other than 200 */
async function refusalsAtStart(at: number, owner: number): Promise<string[]> {
  const url = (host: number) => `http://127.0.0.1:${hosts.ports[host]}/socket.io/?EIO=4&transport=polling`
  const handshake = await (await fetch(url(owner))).text()
  const { sid } = JSON.parse(handshake.slice(1)) as { sid: string }
  const refusals: string[] = []
  const start = hosts.startHost(at)
  const started = new AbortController()
  void start.finally(() => started.abort()).catch(() => undefined)
  while (!started.signal.aborted) {
    // A pong. While the port is closed, a balancer tries another host.
    const answer = await fetch(`${url(at)}&sid=${sid}`, { method: 'POST', body: '3' }).catch(() => undefined)
    if (answer !== undefined && answer.status !== 200) refusals.push(await answer.text())
    await delay(5)
  }
  await start
  return refusals
}

/**
 * Sessions lost over two replaced hosts: 1 or 2 with these files. 6 to 25 for every client of a balancer whose file lets
 * it go on asking a host that stops. On a busy machine a late check costs some clients a session more.
 */
const LOST_MAX = 4

test('hosts are replaced, and the clients of no balancer lose their session again and again', async () => {
  const members = files.flatMap((file) =>
    TRANSPORTS.map((transport, n) => {
      const url = balancers.get(file)?.url ?? ''
      return new Member(url, 'lobby', `${file}-${n}`, { transports: [transport] })
    }),
  )
  try {
    await Promise.all(members.map((member) => member.joined()))
    const conversation = new Conversation(members)
    await conversation.goesOn()
    for (const index of hosts.ports.keys()) {
      expect(await hosts.at(index).stop()).toBe(0)
      await conversation.goesOn()
      expect(await refusalsAtStart(index, 1 - index)).toEqual([])
      await conversation.goesOn()
    }
    await conversation.end()
    const lost = files.map((file, n) => {
      const own = members.slice(n * TRANSPORTS.length, (n + 1) * TRANSPORTS.length)
      return { file, least: Math.min(...own.map(({ disconnects }) => disconnects)) }
    })
    expect(lost.filter(({ least }) => least < 1 || least > LOST_MAX)).toEqual([])
  } finally {
    for (const member of members) member.close()
  }
}, 300_000)
