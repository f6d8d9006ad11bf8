/** Three hosts whose Redis dies, or is unreachable for one of them, while 60 members write. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import type { Crowd } from '../harness/members/crowd.ts'
import { during, sharedThreeHosts } from '../harness/members/three-hosts.ts'
import { until } from '../harness/until.ts'

const three = sharedThreeHosts()

/** The members of that host whose sends were refused because Redis was unreachable. */
const refusedAt = (writers: Crowd, url: string) =>
  writers.at(url).filter(({ refusals }) => refusals.has('unavailable'))

test('Redis is killed and restarted: every send is refused as retryable, and no connection is lost', async () => {
  const crowd = await during({ hosts: three.hosts, label: 'restarted' }, async (writers) => {
    await three.redis.kill()
    for (const { name, url } of three.hosts.all)
      await until(() => refusedAt(writers, url).length > 0, `sends are refused at ${name}`)
    await three.redis.start()
  })
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  expect(crowd.disconnects).toBe(0)
  expect(crowd.members.flatMap(({ pastLogs }) => pastLogs)).toEqual([])
})

test("one host's link to Redis is cut until the others consider it dead: its members stay connected and are refused, the others continue", async () => {
  const crowd = await during({ hosts: three.hosts, label: 'cut' }, async (writers) => {
    await three.hosts.cutLink(1)
    try {
      const others = [three.hosts.at(0), three.hosts.at(2)]
      for (const other of others)
        await until(
          async () => (await other.status()).hosts.length === 1,
          `${other.name} has removed the host`,
        )
      await until(
        () => refusedAt(writers, three.hosts.at(1).url).length > 0,
        'members of the disconnected host are refused',
      )
      expect(others.flatMap(({ url }) => refusedAt(writers, url))).toEqual([])
      const { degraded } = await three.hosts.at(1).status()
      expect(degraded).toEqual(expect.any(String))
      const before = writers.ackedCount
      await until(() => writers.ackedCount > before + 300, 'the other members continue')
    } finally {
      await three.hosts.healLink(1)
    }
  })
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  expect(crowd.disconnects).toBe(0)
})

test("while Redis is unavailable, events that need no log still reach members of the same host, and they learn the cluster's state", async () => {
  const { url } = three.hosts.at(0)
  const [writer, reader] = await Promise.all([
    ChatClient.guest(url, 'writer of the host'),
    ChatClient.guest(url, 'reader of the host'),
  ])
  const room = `near-${randomUUID()}`
  await writer.join(room)
  await reader.join(room)
  await three.redis.kill()
  try {
    for (const client of [writer, reader]) await client.next('cluster', ({ state }) => state === 'degraded')
    // Typing is volatile: a client repeats it while its user types.
    await until(() => {
      writer.socket.emit('typing', { room, typing: true })
      return reader.all('typing').some(({ user }) => user.id === writer.user.id)
    }, 'the reader sees who is typing')
    const refusal = await writer.refused('message:send', { room, id: 'refused-1', text: 'not now' })
    expect(refusal).toMatchObject({ code: 'unavailable', retryable: true })
  } finally {
    await three.redis.start()
  }
  for (const client of [writer, reader]) await client.next('cluster', ({ state }) => state === 'ok')
  await three.hosts.untilWhole()
  const { seq, duplicate } = await writer.send(room, 'refused-1', 'not now')
  expect([seq, duplicate]).toEqual([1, false])
  await reader.next('message', ({ id }) => id === 'refused-1')
  expect(reader.disconnects).toEqual([])
  for (const client of [writer, reader]) client.close()
})
