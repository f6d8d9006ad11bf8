/** Many clients write to one room through every worker: all receive the same messages, once, in one order. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const USERS = 20
const MESSAGES_PER_USER = 250
const IN_FLIGHT = 10

let rookery: RunningRookery
const writers: ChatClient[] = []

beforeAll(async () => {
  const rates = {
    MESSAGE_RATE: '100000',
    MESSAGE_BURST: '100000',
    REQUEST_RATE: '100000',
    REQUEST_BURST: '100000',
  }
  rookery = await startRookery({
    env: { WORKERS: '4', SLOW_CLIENT_BYTES: '67108864', SLOW_CLIENT_MAX_BYTES: '134217728', ...rates },
  })
})
afterAll(async () => {
  for (const writer of writers) writer.close()
  expect(await rookery.stop()).toBe(0)
})

/** Sends every message of its user; the user's other connection sends the same ones. */
async function write(client: ChatClient, user: number): Promise<Map<string, number>> {
  const seqs = new Map<string, number>()
  const ids = Array.from({ length: MESSAGES_PER_USER }, (_, i) => `user-${user}-${i}`)
  while (ids.length > 0) {
    const batch = ids.splice(0, IN_FLIGHT)
    const answers = await Promise.all(batch.map((id) => client.send('lobby', id)))
    for (const [i, id] of batch.entries()) seqs.set(id, answers[i]?.seq ?? 0)
  }
  return seqs
}

it('40 writers, 5,000 messages, each sent twice: one sequence without gaps for every member', async () => {
  for (let i = 0; i < USERS * 2; i += 1) {
    writers.push(await ChatClient.guest(rookery.url, `user ${i % USERS}`))
  }
  expect(new Set(writers.map(({ welcome }) => welcome.worker)).size).toBe(4)
  await Promise.all(writers.map((writer) => writer.join('lobby')))
  const acked = await Promise.all(writers.map((writer, i) => write(writer, i % USERS)))
  for (let user = 0; user < USERS; user += 1) expect(acked[user]).toEqual(acked[user + USERS])
  const total = USERS * MESSAGES_PER_USER
  const order = new Map<number, string>()
  for (const seqs of acked) for (const [id, seq] of seqs) order.set(seq, id)
  expect(order.size).toBe(total)
  const expected = Array.from({ length: total }, (_, i) => [i + 1, order.get(i + 1)])
  for (const writer of writers) {
    await until(() => writer.seqs('lobby').at(-1) === total, 'the last message is shown')
    expect(writer.all('message').map(({ seq, id }) => [seq, id])).toEqual(expected)
    expect(writer.all('gap')).toEqual([])
    expect(writer.disconnects).toEqual([])
  }
})
