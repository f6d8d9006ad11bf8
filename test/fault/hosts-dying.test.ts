/** A host that dies, and a host that is paused, under the load of three hosts. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { during, sharedThreeHosts } from '../harness/members/three-hosts.ts'
import { until } from '../harness/until.ts'

const three = sharedThreeHosts()

test("a host's primary is killed: its members continue at the other hosts, whose own members notice nothing", async () => {
  const victim = three.hosts.at(1)
  const crowd = await during({ hosts: three.hosts, label: 'killed' }, async (writers) => {
    const moved = writers.at(victim.url)
    expect(moved.length).toBeGreaterThan(0)
    await victim.killPrimary()
    for (const [index, member] of moved.entries()) member.moveTo(three.hosts.at(index % 2 === 0 ? 0 : 2).url)
    for (const host of [three.hosts.at(0), three.hosts.at(2)])
      await until(async () => (await host.status()).hosts.length === 1, `${host.name} has removed the host`)
    const before = new Map(moved.map((member) => [member, member.last]))
    await until(
      () => moved.every((member) => member.last > (before.get(member) ?? 0)),
      'its members receive new messages',
    )
    await victim.start()
  })
  const stayed = crowd.members.filter(({ disconnects }) => disconnects === 0)
  expect(stayed.length).toBe((crowd.members.length * 2) / 3)
})

test("a primary's event loop blocks for 4 s", async () => {
  const crowd = await during({ hosts: three.hosts, label: 'blocked' }, async () => {
    three.hosts.at(2).pause()
    await delay(4_000)
    three.hosts.at(2).resume()
  })
  expect(crowd.disconnects).toBe(0)
  for (const host of three.hosts.all) expect(await host.metric('rookery_hosts')).toBe(2)
})

test('a primary is paused until the others consider it dead, and then rejoins', async () => {
  const still = three.hosts.at(2)
  await during({ hosts: three.hosts, label: 'long' }, async () => {
    still.pause()
    try {
      for (const host of [three.hosts.at(0), three.hosts.at(1)])
        await until(async () => (await host.status()).hosts.length === 1, `${host.name} has removed the host`)
    } finally {
      still.resume()
    }
    await three.hosts.untilWhole()
  })
})
