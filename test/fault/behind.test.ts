/** A worker is paused while messages arrive in its rooms: its members get all of them when it resumes. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChatClient } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const ROOM = 'lobby'
const TEXT = 'x'.repeat(12_000)
const DROPPED = 'a worker does not keep up: dropped a message to it'
/** About twice as many as fit into the queue for a worker. */
const MESSAGES_MAX = 6_000

let rookery: RunningRookery

beforeEach(async () => {
  rookery = await startRookery({
    env: {
      WORKERS: '2',
      WORKER_HANG_TIMEOUT_MS: '0',
      TEXT_MAX_CHARS: '12000',
      MAX_PACKET_BYTES: '200000',
      MESSAGE_RATE: '100000',
      MESSAGE_BURST: '100000',
      // The client shares its process with the test, which may be busy: messages to it may pile up.
      SLOW_CLIENT_BYTES: '200000000',
      SLOW_CLIENT_MAX_BYTES: '400000000',
    },
  })
})
afterEach(async () => {
  expect(await rookery.stop()).toBe(0)
})

const { guest, guestElsewhere } = chatClients(() => rookery.url)

async function sendUntilDropped(writer: ChatClient): Promise<number> {
  let last = 0
  while (rookery.countLogs(DROPPED) === 0) {
    if (last > MESSAGES_MAX) throw new Error('nothing was dropped')
    const acks = await Promise.all(Array.from({ length: 50 }, () => writer.send(ROOM, randomUUID(), TEXT)))
    last = Math.max(...acks.map(({ seq }) => seq))
  }
  return last
}

it('gets the entries and the presence changes that were dropped last, without any further message', async () => {
  const member = await guest('Member')
  const writer = await guestElsewhere('Writer', member)
  const passing = await guestElsewhere('Passing', member)
  const coming = await guestElsewhere('Coming', member)
  for (const client of [member, writer, passing]) await client.join(ROOM)
  await member.next('presence', ({ count }) => count === 3)

  const stopped = rookery.workerPids()[rookery.workerNames().indexOf(member.welcome.worker)]
  if (stopped === undefined) throw new Error('the worker of the member is not there')
  process.kill(stopped, 'SIGSTOP')
  let last = 0
  try {
    last = await sendUntilDropped(writer)
    passing.close()
    await coming.join(ROOM)
    await writer.next('presence', ({ joined }) => joined?.some(({ id }) => id === coming.user.id) === true)
    await writer.next('presence', ({ left }) => left?.some(({ id }) => id === passing.user.id) === true)
  } finally {
    process.kill(stopped, 'SIGCONT')
  }
  await until(() => member.seqs(ROOM).length >= last, 'the member has received every message')
  expect(member.seqs(ROOM)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
  await member.next('presence', ({ left }) => left?.some(({ id }) => id === passing.user.id) === true)
  await member.next('presence', ({ joined }) => joined?.some(({ id }) => id === coming.user.id) === true)
  expect(member.all('presence').at(-1)?.count).toBe(3)
  expect(member.disconnects).toEqual([])
})
