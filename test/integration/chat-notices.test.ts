/** Events on connections that have not joined a room: direct messages, and the user's read markers. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { directRoom } from '../../src/wire/chat-direct.ts'
import type { ChatClient } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'

const API_KEY = 'a key of this test'

let rookery: RunningRookery
const { guest, guestElsewhere } = chatClients(() => rookery.url)

beforeAll(async () => {
  rookery = await startRookery({ env: { ...UNLIMITED_RATES, WORKERS: '2', API_KEY } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

/** Two connections of one user on two workers. From now on both receive notices. */
async function onBothWorkers(name: string): Promise<[ChatClient, ChatClient]> {
  const user = `${name} ${randomUUID().slice(0, 8)}`
  const one = await guest(user)
  const other = await guestElsewhere(user, one)
  await Promise.all([one, other].map((client) => client.ask('rooms', {})))
  return [one, other]
}

function roomOf(one: ChatClient, other: ChatClient): string {
  return directRoom(one.user.id, other.user.id) ?? ''
}

/** All are in a room and have received all of its messages, so every earlier notice has arrived too. */
async function lobby(all: ChatClient[]): Promise<{ room: string }> {
  const room = `lobby.${randomUUID()}`
  await Promise.all(all.map((client) => client.join(room)))
  for (const client of all) await client.send(room, randomUUID())
  await Promise.all(
    all.map((client) => client.next('message', (m) => m.room === room && m.seq === all.length)),
  )
  return { room }
}

it('announces a direct message on all connections of both users that have not joined, and on no others', async () => {
  const [ann, annElsewhere] = await onBothWorkers('Ann')
  const bobs = await onBothWorkers('Bob')
  const eves = await onBothWorkers('Eve')
  const room = roomOf(ann, bobs[0])
  await ann.join(room)
  await ann.send(room, 'm-1', 'are you there?')
  await ann.ask('message:edit', { room, id: 'm-2', target: 1, text: 'Are you there?' })
  await ann.send(room, 'm-3', 'hello?')
  const told = [1, 3].map((head) => ({ room, head, from: ann.user }))
  for (const client of [...bobs, annElsewhere]) {
    await client.next('room', ({ head }) => head === 3)
    expect(client.all('room')).toEqual(told)
    expect(client.all('message')).toEqual([])
  }
  await lobby([ann, ...eves])
  for (const client of [ann, ...eves]) expect(client.all('room')).toEqual([])
  expect(ann.seqs(room)).toEqual([1, 2, 3])
})

it('sends the messages themselves where the room is joined, and notices where it was left', async () => {
  const [ann] = await onBothWorkers('Ann')
  const [bob, bobElsewhere] = await onBothWorkers('Bob')
  const room = roomOf(ann, bob)
  await Promise.all([ann.join(room), bob.join(room)])
  await ann.send(room, 'm-1')
  await bobElsewhere.next('room', ({ head }) => head === 1)
  await bob.next('message')
  await bob.ask('room:leave', { room })
  await ann.send(room, 'm-2')
  await bob.next('room', ({ head }) => head === 2)
  expect(bob.all('room')).toHaveLength(1)
  expect(bob.seqs(room)).toEqual([1])
  expect((await bob.ask('rooms', {})).rooms).toEqual([{ room, head: 2, read: 1, unread: 1 }])
})

it('counts what is written right after a user has left, on another worker', async () => {
  const ann = await guest(`Ann ${randomUUID().slice(0, 8)}`)
  const bob = await guestElsewhere(`Bob ${randomUUID().slice(0, 8)}`, ann)
  const room = roomOf(ann, bob)
  const { room: common } = await lobby([ann, bob])
  await ann.join(room)
  await ann.send(room, 'm-1')
  await bob.ask('room:leave', { room })
  // Takes the way of what the workers tell each other.
  bob.socket.emit('typing', { room: common, typing: false })
  await ann.next('typing')
  await ann.send(room, 'm-2')
  expect((await bob.ask('rooms', {})).rooms).toContainEqual({ room, head: 2, read: 1, unread: 1 })
})

it('announces a repeated message again: the first notice may have been lost', async () => {
  const [ann] = await onBothWorkers('Ann')
  const bobs = await onBothWorkers('Bob')
  const room = roomOf(ann, bobs[0])
  await ann.join(room)
  await ann.send(room, 'm-1', 'once')
  expect(await ann.send(room, 'm-1', 'once')).toMatchObject({ duplicate: true })
  await ann.send(room, 'm-2', 'last')
  for (const bob of bobs) {
    await bob.next('room', ({ head }) => head === 2)
    expect(bob.all('room').map(({ head }) => head)).toEqual([1, 1, 2])
  }
})

it('announces messages that a server publishes for a user', async () => {
  const bobs = await onBothWorkers('Bob')
  const from = { id: `u-${randomUUID().slice(0, 8)}`, name: 'A server' }
  const room = directRoom(from.id, bobs[0].user.id) ?? ''
  const response = await fetch(`${rookery.url}/api/rooms/${room}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify({ id: 'm-1', text: 'your order is ready', from }),
  })
  expect(response.status).toBe(200)
  for (const bob of bobs) expect(await bob.next('room')).toEqual({ room, head: 1, from })
})

it('announces no message of a room that is open to all', async () => {
  const [ann, annElsewhere] = await onBothWorkers('Ann')
  const { room } = await lobby([ann, annElsewhere])
  await annElsewhere.ask('room:leave', { room })
  await ann.send(room, 'm-1')
  await lobby([ann, annElsewhere])
  expect(annElsewhere.all('room')).toEqual([])
})

it('tells a user’s other connections how far the user has read, whether they joined the room or not', async () => {
  const [ann] = await onBothWorkers('Ann')
  const [bob, bobElsewhere] = await onBothWorkers('Bob')
  const room = roomOf(ann, bob)
  await Promise.all([ann.join(room), bob.join(room)])
  await ann.send(room, 'm-1')
  await ann.send(room, 'm-2')
  await bob.ask('room:read', { room, seq: 2 })
  const mark = { room, user: { id: bob.user.id }, seq: 2 }
  for (const client of [ann, bob, bobElsewhere]) expect(await client.next('read')).toEqual(mark)
  await lobby([ann, bob, bobElsewhere])
  for (const client of [ann, bob, bobElsewhere]) expect(client.all('read')).toEqual([mark])
})
