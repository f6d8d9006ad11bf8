/** Three hosts whose Redis dies, or is out of reach of one of them, while 60 members write: what each is told, and what goes on. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { during, sharedThreeHosts } from '../harness/members/three-hosts.ts'
import { until } from '../harness/until.ts'

const three = sharedThreeHosts()

test('Redis is killed and comes back after 3 s: every send is refused as retryable, and no connection is lost', async () => {
  const crowd = await during({ hosts: three.hosts, label: 'restarted' }, async (writers) => {
    await three.redis.kill()
    await delay(3_000)
    await until(() => (writers.refusals()['unavailable'] ?? 0) > 0, 'sends are refused')
    await three.redis.start()
  })
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  expect(crowd.disconnects).toBe(0)
  expect(crowd.members.flatMap(({ pastLogs }) => pastLogs)).toEqual([])
})

test('the way of one host to Redis is cut for 10 s: its members stay and are refused, the others go on', async () => {
  const crowd = await during({ hosts: three.hosts, label: 'cut' }, async (writers) => {
    await three.hosts.cutLink(1)
    try {
      await delay(10_000)
      const [cut, others] = [three.hosts.at(1).url, [three.hosts.at(0).url, three.hosts.at(2).url]]
      const refused = (url: string) => writers.at(url).filter(({ refusals }) => refusals.has('unavailable'))
      await until(() => refused(cut).length > 0, 'members of the host that is cut off are refused')
      expect(others.flatMap(refused)).toEqual([])
      const { degraded } = await three.hosts.at(1).status()
      expect(degraded).toEqual(expect.any(String))
      const before = writers.ackedCount
      await until(() => writers.ackedCount > before + 300, 'the others go on')
    } finally {
      await three.hosts.healLink(1)
    }
  })
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  expect(crowd.disconnects).toBe(0)
})

test('while Redis is away, what needs no log still reaches the members of the same host; they are told how it stands', async () => {
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
    writer.socket.emit('typing', { room, typing: true })
    await reader.next('typing', ({ user }) => user.id === writer.user.id)
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
