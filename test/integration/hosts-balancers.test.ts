/** The whole product on three hosts over a real Redis, behind nginx and HAProxy as `deploy/` sets them up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BalancerFile, RealBalancer } from '../harness/balancers.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster.ts'
import { freePort } from '../harness/free-port.ts'
import { Member } from '../harness/member.ts'
import { startRedis, type TestRedis } from '../harness/redis.ts'
import { Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const TRANSPORTS = [['polling'], ['polling', 'websocket'], ['websocket']]
const MEMBERS_A_TRANSPORT = 3

let redis: TestRedis
const hosts: RunningRookery[] = []
const ports: number[] = []

async function startHost(n: number): Promise<RunningRookery> {
  return startRookery({
    env: {
      ...UNLIMITED_RATES,
      PORT: String(ports[n]),
      WORKERS: '1',
      REDIS_URL: redis.url,
      CLUSTER_SECRET: 'a secret of more than thirty-two bytes',
      HOST_NAME: `rookery-${n + 1}`,
      DRAIN_MS: '1000',
    },
  })
}

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'always' })
  for (let n = 0; n < 3; n += 1) ports.push(await freePort())
  hosts.push(...(await Promise.all(ports.map((_, n) => startHost(n)))))
})
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()))
  await redis.stop()
})

/** The sum of a counter over all hosts. */
async function total(name: string): Promise<number> {
  const texts = await Promise.all(
    hosts.map(async ({ adminUrl }) => (await fetch(`${adminUrl}/metrics`)).text()),
  )
  const values = texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .map((line) => Number(line.slice(line.lastIndexOf(' ')))),
  )
  return values.reduce((sum, value) => sum + value, 0)
}

describe.each<[BalancerFile, boolean]>([
  ['nginx.conf', false],
  ['nginx-sticky.conf', true],
  ['haproxy.cfg', false],
  ['haproxy-sticky.cfg', true],
])('behind %s', (file, isSticky) => {
  const members: Member[] = []
  let balancer: RealBalancer
  let talk: Talk
  beforeAll(async () => {
    balancer = await RealBalancer.start(file, ports)
  })
  afterAll(async () => {
    for (const member of members) member.close()
    await balancer.stop()
  })

  test('members on all transports talk, without a single reconnect', async () => {
    const forwarded = await total('rookery_forward_sent_total')
    for (const [t, transports] of TRANSPORTS.entries()) {
      for (let n = 0; n < MEMBERS_A_TRANSPORT; n += 1) {
        const options = { transports, withCredentials: true }
        members.push(new Member(balancer.url, `room.${file}`, `m${t}-${n}`, options))
      }
    }
    await Promise.all(members.map((member) => member.joined()))
    talk = new Talk(members)
    await talk.goesOn(5)
    expect(members.map(({ disconnects }) => disconnects)).toEqual(members.map(() => 0))
    if (isSticky) expect(await total('rookery_forward_sent_total')).toBe(forwarded)
    else expect(await total('rookery_forward_sent_total')).toBeGreaterThan(forwarded)
  })

  test('hosts are rolled one after the other while they talk, and nothing is lost', async () => {
    for (const [n, host] of hosts.entries()) {
      expect(await host.stop()).toBe(0)
      await talk.goesOn()
      const started = await startHost(n)
      hosts[n] = started
      await until(
        async () => (await fetch(`http://127.0.0.1:${ports[n]}/readyz`)).status === 200,
        'the host takes connections',
      )
      await talk.goesOn()
    }
    expect(await talk.end()).toBeGreaterThan(100)
  }, 300_000)
})
