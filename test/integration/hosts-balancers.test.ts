/** The whole product on three hosts over a real Redis, behind nginx and HAProxy as `deploy/` configures them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { Conversation } from '../harness/members/conversation.ts'
import { Member } from '../harness/members/member.ts'
import type { BalancerFile } from '../harness/network/balancer-programs.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { until } from '../harness/until.ts'

const TRANSPORTS = [['polling'], ['polling', 'websocket'], ['websocket']]
const MEMBERS_A_TRANSPORT = 3

let talks = 0

let hosts: LoopbackHosts

beforeAll(async () => {
  hosts = await LoopbackHosts.start({ hosts: 3, workersPerHost: 1 })
})
afterAll(async () => {
  await hosts.stop()
})

describe.each<[BalancerFile, boolean]>([
  ['nginx.conf', false],
  ['nginx-sticky.conf', true],
  ['haproxy.cfg', false],
  ['haproxy-sticky.cfg', true],
])('behind %s', (file, isSticky) => {
  let members: Member[] = []
  let balancer: RealBalancer
  let conversation: Conversation
  let forwarded: number
  beforeAll(async () => {
    balancer = await RealBalancer.start(file, hosts.ports)
  })
  afterAll(() => balancer.stop())

  beforeEach(async () => {
    await hosts.restore()
    talks += 1
    forwarded = await hosts.metric('rookery_forward_sent_total')
    members = TRANSPORTS.flatMap((transports, t) =>
      Array.from({ length: MEMBERS_A_TRANSPORT }, (_, n) => {
        const options = { transports, withCredentials: true }
        return new Member(balancer.url, `room.${file}.${talks}`, `m${t}-${n}`, options)
      }),
    )
    await Promise.all(members.map((member) => member.joined()))
    conversation = new Conversation(members)
  })
  afterEach(() => {
    for (const member of members) member.close()
  })

  test('members on all transports write, without a single reconnect', async () => {
    await conversation.goesOn(5)
    expect(members.map(({ disconnects }) => disconnects)).toEqual(members.map(() => 0))
    if (isSticky) expect(await hosts.metric('rookery_forward_sent_total')).toBe(forwarded)
    else expect(await hosts.metric('rookery_forward_sent_total')).toBeGreaterThan(forwarded)
    await conversation.end()
  })

  test('a reload of the balancer keeps WebSockets', async () => {
    await conversation.goesOn()
    await balancer.reload((text) =>
      text
        .replace(/^\s*server \{$/m, '$&\nlocation = /reloaded { return 204; }')
        .replace('frontend clients', '$&\nhttp-request return status 204 if { path /reloaded }'),
    )
    const answer = () => fetch(`${balancer.url}/reloaded`).catch(() => undefined)
    await until(async () => (await answer())?.status === 204, 'the balancer has the new configuration')
    await conversation.goesOn()
    const webSockets = members.slice(-MEMBERS_A_TRANSPORT)
    expect(webSockets.map(({ disconnects }) => disconnects)).toEqual(webSockets.map(() => 0))
    await conversation.end()
  })

  test('hosts are rolled one after the other while members write, and nothing is lost', async () => {
    for (const index of hosts.ports.keys()) {
      expect(await hosts.at(index).stop()).toBe(0)
      await conversation.goesOn()
      await hosts.startHost(index)
      await conversation.goesOn()
    }
    expect(await conversation.end()).toBeGreaterThan(100)
  }, 300_000)
})
