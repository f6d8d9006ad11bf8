/** A host that dies, and one that stands still, under three hosts' load. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TestHosts } from '../harness/cluster/hosts.ts'
import { during, startThreeHosts, type ThreeHosts } from '../harness/members/three-hosts.ts'
import { until } from '../harness/until.ts'

let three: ThreeHosts
let hosts: TestHosts

beforeAll(async () => {
  three = await startThreeHosts()
  hosts = three.hosts
})

beforeEach(() => three.restore())
afterAll(() => three?.close())

test("a host's primary is killed: its members go on at the others, whose own members notice nothing", async () => {
  const victim = hosts.at(1)
  const crowd = await during({ hosts, label: 'killed' }, async (writers) => {
    const moved = writers.at(victim.url)
    expect(moved.length).toBeGreaterThan(0)
    await victim.killPrimary()
    for (const [index, member] of moved.entries()) member.moveTo(hosts.at(index % 2 === 0 ? 0 : 2).url)
    for (const host of [hosts.at(0), hosts.at(2)])
      await until(async () => (await host.status()).hosts.length === 1, `${host.name} misses the host`)
    const before = new Map(moved.map((member) => [member, member.last]))
    await until(
      () => moved.every((member) => member.last > (before.get(member) ?? 0)),
      'they are shown what is new',
    )
    await victim.start()
  })
  const stayed = crowd.members.filter(({ disconnects }) => disconnects === 0)
  expect(stayed.length).toBe((crowd.members.length * 2) / 3)
})

test("a primary's event loop stands still for 4 s", async () => {
  const crowd = await during({ hosts, label: 'blocked' }, async () => {
    hosts.at(2).pause()
    await delay(4_000)
    hosts.at(2).resume()
  })
  expect(crowd.disconnects).toBe(0)
  for (const host of hosts.all) expect(await host.metric('rookery_hosts')).toBe(2)
})

test('a primary stands still for so long that the others take it for gone, and is one of them again', async () => {
  const still = hosts.at(2)
  await during({ hosts, label: 'long' }, async () => {
    still.pause()
    try {
      for (const host of [hosts.at(0), hosts.at(1)])
        await until(async () => (await host.status()).hosts.length === 1, `${host.name} misses the host`)
    } finally {
      still.resume()
    }
    await hosts.untilWhole()
  })
})
