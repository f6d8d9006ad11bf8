/**
 * A Sentinel fail-over to a replica that lacks the last messages: rooms that lost their tail become another
 * log and all their members learn of it; a room that lost nothing stays as it is.
 */
import { afterEach, expect, test, vi } from 'vitest'
import { openHostNetwork } from '../harness/cluster/host-networks.ts'
import { startHosts, type TestHosts } from '../harness/cluster/hosts.ts'
import type { Crowd } from '../harness/members/crowd.ts'
import { type Acked, Member } from '../harness/members/member.ts'
import { crowdOver, writeThrough } from '../harness/members/three-hosts.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { startSentinel, type TestSentinel } from '../harness/redis/sentinel.ts'
import { until } from '../harness/until.ts'

/** Starts six Redis servers and three hosts, on a machine that may be busy. */
vi.setConfig({ testTimeout: 300_000 })

const open: (() => void | Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

interface Setup {
  hosts: TestHosts
  sentinel: TestSentinel
  master: TestRedis
  replica: TestRedis
}

async function start(): Promise<Setup> {
  const net = await openHostNetwork(3)
  open.push(() => net.close())
  const sentinel = await startSentinel({ host: net.gateway })
  open.push(() => sentinel.stop())
  const master = await sentinel.master()
  const replica = sentinel.servers.find((server) => server !== master)
  if (replica === undefined) throw new Error('there is no replica')
  const redisEnv = {
    REDIS_URL: master.url,
    REDIS_SENTINELS: sentinel.addresses,
    REDIS_SENTINEL_NAME: sentinel.name,
  }
  const hosts = await startHosts(net, master, { redisEnv })
  open.push(() => hosts.stop())
  return { hosts, sentinel, master, replica }
}

async function quietPair(hosts: TestHosts): Promise<[Member, Member]> {
  const pair = [0, 1].map((host) => new Member(hosts.at(host).url, 'quiet', `quiet-${host}`)) as [
    Member,
    Member,
  ]
  open.push(() => pair.forEach((member) => member.close()))
  await Promise.all(pair.map((member) => member.joined()))
  const { seq } = await pair[0].send('q1', 'long before')
  await Promise.all(pair.map((member) => member.has(seq)))
  return pair
}

const offset = async (server: TestRedis, field: string) =>
  Number((await server.cli('info', 'replication')).match(new RegExp(`${field}:(\\d+)`))?.[1])

/** Stops replication: what is written to the master from now on is lost with it. */
async function cutOff(master: TestRedis, replica: TestRedis): Promise<void> {
  const written = await offset(master, 'master_repl_offset')
  await until(
    async () => (await offset(replica, 'slave_repl_offset')) >= written,
    'the replica has all earlier writes',
  )
  await replica.cli('replicaof', master.host, '1')
}

/** Resolves when all members have been shown all acked messages. */
async function shownToAll(crowd: Crowd): Promise<void> {
  for (const member of crowd.members)
    await member.has(Math.max(...(crowd.acked.get(member.room) ?? []).map(({ seq }) => seq)))
}

test('members learn of the loss by a new epoch, and all continue', async () => {
  const { hosts, sentinel, master, replica } = await start()
  const quiet = await quietPair(hosts)
  const crowd = await crowdOver({ hosts, label: 'loss' })
  open.push(() => crowd.close())
  await crowd.write(2)
  await shownToAll(crowd)
  const epochs = new Map(crowd.members.map((member) => [member, member.epoch]))
  const [quietEpoch] = quiet.map(({ epoch }) => epoch)

  await cutOff(master, replica)
  const kept = new Map([...crowd.acked].map(([room, acked]) => [room, acked.length]))
  await crowd.write(2)
  await shownToAll(crowd)
  expect(await replica.cli('info', 'replication')).toContain('master_port:1\r')
  const lost = new Map(
    [...crowd.acked].map(([room, acked]) => [room, acked.slice(kept.get(room)).map(({ id }) => id)]),
  )
  expect([...lost.values()].map(({ length }) => length)).toEqual([...lost].map(() => 12))

  await master.kill()
  await writeThrough(crowd, () =>
    until(async () => (await sentinel.master()) === replica, 'the replica is the master'),
  )
  const before = new Map([...crowd.acked].map(([room, acked]) => [room, acked.length]))
  await crowd.write(1)
  await shownToAll(crowd)

  for (const [room, acked] of crowd.acked) {
    const members = crowd.members.filter((member) => member.room === room)
    const ofNew = acked.slice(before.get(room))
    expect(ofNew).toHaveLength(members.length)
    expect(new Set(members.map(({ epoch }) => epoch)).size).toBe(1)
    expectOneOrder(members)
    for (const member of members) {
      expect(member.pastLogs.map(({ epoch }) => epoch)).toEqual([epochs.get(member)])
      expectApart(member, lost.get(room) ?? [], ofNew)
    }
  }
  await expectUntouched(quiet, quietEpoch)
  await hosts.untilWhole()
  expect(hosts.deaths()).toEqual([])
})

/**
 * Each member is shown the log without gaps or duplicates, and all see the same message at the same number.
 */
function expectOneOrder(members: readonly Member[]): void {
  const bySeq = new Map(members.flatMap(({ shown }) => shown.map(({ seq, id }) => [seq, id] as const)))
  for (const { breaks, shown } of members) {
    expect(breaks).toEqual([])
    expect(shown.map(({ seq }) => seq)).toEqual(shown.map((_, index) => (shown[0]?.seq ?? 1) + index))
    expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length)
    expect(shown.filter(({ seq, id }) => bySeq.get(seq) !== id)).toEqual([])
  }
}

/** Lost messages were shown under the old log; acked ones are shown under the new one. */
function expectApart({ pastLogs, shown }: Member, lost: readonly string[], acked: readonly Acked[]): void {
  const past = new Set(pastLogs.flatMap((log) => log.shown.map(({ id }) => id)))
  expect(lost.filter((id) => !past.has(id))).toEqual([])
  expect(shown.filter(({ id }) => lost.includes(id))).toEqual([])
  const bySeq = new Map(shown.map(({ seq, id }) => [seq, id]))
  expect(acked.filter(({ seq, id }) => bySeq.get(seq) !== id)).toEqual([])
}

async function expectUntouched(pair: readonly [Member, Member], epoch: string | undefined): Promise<void> {
  const { seq } = await pair[1].send('q2', 'long after')
  for (const member of pair) {
    await member.has(seq)
    expect(member.pastLogs).toEqual([])
    expect(member.epoch).toBe(epoch)
    expect(member.shown.map((shown) => [shown.seq, shown.id])).toEqual([
      [1, 'q1'],
      [2, 'q2'],
    ])
  }
}
