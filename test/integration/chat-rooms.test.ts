/** Rooms and messages as docs/protocol.md describes them, with stock clients over each transport. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { directRoom } from '../../src/wire/chat-direct.ts'
import type { ClientOptions } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
const clients = chatClients(() => rookery.url)

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '2', MESSAGE_BURST: '1000', REQUEST_BURST: '1000' } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

const newRoom = () => `room.${randomUUID()}`
const userName = (name: string) => `${name} ${randomUUID().slice(0, 8)}`

const transports: [string, ClientOptions][] = [
  ['websocket', { transports: ['websocket'] }],
  ['polling', { transports: ['polling'] }],
  ['polling with upgrade', { transports: ['polling', 'websocket'] }],
]

describe.each(transports)('over %s', (_name, options) => {
  const guest = (name = userName('Ada')) => clients.guest(name, options)

  it('welcomes a guest with the user, the worker and the limits', async () => {
    const name = userName('Ada')
    const [one, two] = [await guest(name), await guest(name)]
    expect(one.welcome).toMatchObject({
      user: { name },
      limits: {
        textMaxChars: 4000,
        historyDefault: 50,
        historyMax: 200,
        roomsPerSocket: 100,
        messageRate: 20,
        messageBurst: 1000,
        requestRate: 50,
        requestBurst: 1000,
        membersShown: 500,
        nameMaxChars: 64,
        roomMaxChars: 64,
        idMaxChars: 64,
      },
    })
    expect(one.user.id).toBe(two.user.id)
    expect(one.welcome.host).not.toBe('')
    expect(one.welcome.worker).not.toBe('')
  })

  it('joins, sends, shows all members the same, and stores it', async () => {
    const room = newRoom()
    const [ada, bob] = [await guest(), await guest(userName('Bob'))]
    const joined = await ada.join(room)
    expect(joined).toEqual({
      room,
      epoch: expect.any(String),
      head: 0,
      reset: false,
      messages: [],
      more: false,
      members: [ada.user],
    })
    expect((await bob.join(room)).members).toEqual([ada.user, bob.user])
    const text = 'Hello 👩‍👩‍👧, \u0000 <b>"quoted"</b>\n  '
    const sent = await ada.send(room, 'm-1', text)
    expect(sent).toEqual({ seq: 1, at: expect.any(Number), duplicate: false })
    const message = { room, seq: 1, id: 'm-1', kind: 'text', from: ada.user, text, at: sent.at }
    expect(await ada.next('message')).toEqual(message)
    expect(await bob.next('message')).toEqual(message)
    const page = await bob.ask('room:history', { room })
    expect(page).toEqual({ room, epoch: joined.epoch, head: 1, messages: [message], more: false })
  })

  it('resumes after a lost connection without gaps or duplicates', async () => {
    const room = newRoom()
    const [ada, bob] = [await guest(), await guest(userName('Bob'))]
    const { epoch } = await ada.join(room)
    await bob.join(room)
    for (let i = 1; i <= 5; i += 1) await bob.send(room, `m-${i}`)
    await ada.next('message', ({ seq }) => seq === 5)
    await ada.cut()
    for (let i = 6; i <= 10; i += 1) await bob.send(room, `m-${i}`)
    const sending = Promise.all([11, 12, 13, 14, 15].map((i) => bob.send(room, `m-${i}`)))
    const resumed = await ada.join(room, { after: 5, epoch })
    await sending
    await until(() => Math.max(resumed.head, ada.seqs(room).at(-1) ?? 0) === 15, 'all messages have arrived')
    const seqs = [...resumed.messages.map(({ seq }) => seq), ...ada.seqs(room).slice(5)]
    expect(seqs).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    expect(resumed.reset).toBe(false)
  })

  it('pages through history in both directions', async () => {
    const room = newRoom()
    const ada = await guest()
    await ada.join(room)
    await Promise.all(Array.from({ length: 12 }, (_, i) => ada.send(room, `m-${i + 1}`)))
    const seqs = async (asked: object) => {
      const { messages, more } = await ada.ask('room:history', { room, ...asked })
      return { seqs: messages.map(({ seq }) => seq), more }
    }
    expect(await seqs({ limit: 3 })).toEqual({ seqs: [10, 11, 12], more: true })
    expect(await seqs({ before: 4, limit: 3 })).toEqual({ seqs: [1, 2, 3], more: false })
    expect(await seqs({ before: 10, limit: 3 })).toEqual({ seqs: [7, 8, 9], more: true })
    expect(await seqs({ after: 9, limit: 2 })).toEqual({ seqs: [10, 11], more: true })
    expect(await seqs({ after: 12 })).toEqual({ seqs: [], more: false })
    expect((await ada.join(room, { after: 2, limit: 4 })).messages.map(({ seq }) => seq)).toEqual([
      3, 4, 5, 6,
    ])
    expect(await ada.join(room, { after: 2, limit: 4 })).toMatchObject({ more: true, head: 12 })
  })

  it('starts over when the client has another log, or is ahead of this one', async () => {
    const room = newRoom()
    const ada = await guest()
    const { epoch } = await ada.join(room)
    await ada.send(room, 'm-1')
    const other = await ada.join(room, { after: 1, epoch: 'of another log' })
    expect(other).toMatchObject({ reset: true, epoch, head: 1, messages: [{ seq: 1 }] })
    expect(await ada.join(room, { after: 2, epoch })).toMatchObject({ reset: true, messages: [{ seq: 1 }] })
    expect(await ada.join(room, { after: 1, epoch })).toMatchObject({ reset: false, messages: [] })
  })

  it('counts unread messages from joining, also after leaving', async () => {
    const room = newRoom()
    const [ada, bob] = [await guest(), await guest(userName('Bob'))]
    await bob.join(room)
    for (let i = 1; i <= 3; i += 1) await bob.send(room, `m-${i}`)
    await ada.join(room)
    expect((await ada.ask('rooms', {})).rooms).toEqual([{ room, head: 3, read: 3, unread: 0 }])
    await bob.send(room, 'm-4')
    expect((await ada.ask('rooms', {})).rooms).toEqual([{ room, head: 4, read: 3, unread: 1 }])
    await ada.ask('room:leave', { room })
    await bob.send(room, 'm-5')
    await ada.join(room)
    expect((await ada.ask('rooms', {})).rooms).toEqual([{ room, head: 5, read: 5, unread: 0 }])
  })

  it('counts unread messages, and only moves the read marker forward', async () => {
    const room = newRoom()
    const [ada, bob] = [await guest(), await guest(userName('Bob'))]
    await ada.join(room)
    await bob.join(room)
    for (let i = 1; i <= 4; i += 1) await bob.send(room, `m-${i}`)
    expect(await ada.ask('rooms', {})).toEqual({ rooms: [{ room, head: 4, read: 0, unread: 4 }] })
    expect(await ada.ask('room:read', { room, seq: 3 })).toEqual({ seq: 3 })
    expect(await bob.next('read')).toEqual({ room, user: { id: ada.user.id }, seq: 3 })
    expect(await ada.ask('room:read', { room, seq: 2 })).toEqual({ seq: 3 })
    expect(await ada.ask('room:read', { room, seq: 99 })).toEqual({ seq: 4 })
    await bob.next('read', ({ seq }) => seq === 4)
    expect(bob.all('read').map(({ seq }) => seq)).toEqual([3, 4])
    expect((await ada.ask('rooms', {})).rooms).toEqual([{ room, head: 4, read: 4, unread: 0 }])
  })

  it('opens a direct room only to its two users, and shows it to the one who never joined', async () => {
    const [ada, bob, eve] = [await guest(), await guest(userName('Bob')), await guest(userName('Eve'))]
    const room = directRoom(ada.user.id, bob.user.id) ?? ''
    await ada.join(room)
    await ada.send(room, 'm-1', 'between us')
    expect(await bob.ask('rooms', {})).toEqual({ rooms: [{ room, head: 1, read: 0, unread: 1 }] })
    expect((await bob.join(room)).messages).toMatchObject([{ text: 'between us', from: ada.user }])
    for (const [event, payload] of [
      ['room:join', { room }],
      ['room:history', { room }],
      ['room:members', { room }],
      ['room:read', { room, seq: 1 }],
      ['message:send', { room, id: 'm-2', text: 'me too' }],
    ] as const) {
      expect(await eve.refused(event, payload)).toMatchObject({ code: 'forbidden', retryable: false })
    }
    expect(await eve.refused('room:join', { room: 'dm:b:a' })).toMatchObject({ code: 'bad_request' })
  })

  it('edits and removes own messages, and blanks removed ones', async () => {
    const room = newRoom()
    const [ada, bob] = [await guest(), await guest(userName('Bob'))]
    await ada.join(room)
    await bob.join(room)
    await ada.send(room, 'm-1', 'frist')
    expect(await ada.ask('message:edit', { room, id: 'm-2', target: 1, text: 'first' })).toMatchObject({
      seq: 2,
      duplicate: false,
    })
    expect(await bob.next('message', ({ seq }) => seq === 2)).toMatchObject({
      kind: 'edit',
      target: 1,
      text: 'first',
    })
    const notOwn = { room, id: 'm-3', target: 1, text: 'mine' }
    expect(await bob.refused('message:edit', notOwn)).toMatchObject({ code: 'forbidden' })
    expect(await bob.refused('message:remove', { room, id: 'm-3', target: 1 })).toMatchObject({
      code: 'forbidden',
    })
    expect(await ada.refused('message:remove', { room, id: 'm-4', target: 9 })).toMatchObject({
      code: 'not_found',
    })
    await ada.ask('message:remove', { room, id: 'm-5', target: 1 })
    const removal = await bob.next('message', ({ kind }) => kind === 'remove')
    expect(removal).toMatchObject({ seq: 3, target: 1 })
    expect(removal).not.toHaveProperty('text')
    const { messages } = await bob.ask('room:history', { room })
    expect(messages.map(({ seq, kind, text }) => [seq, kind, text])).toEqual([
      [1, 'text', undefined],
      [2, 'edit', undefined],
      [3, 'remove', undefined],
    ])
    expect((await bob.ask('rooms', {})).rooms).toEqual([{ room, head: 3, read: 0, unread: 0 }])
  })

  it('answers a repeated message as before, and refuses the same id with another text', async () => {
    const room = newRoom()
    const ada = await guest()
    await ada.join(room)
    const first = await ada.send(room, 'm-1', 'once')
    expect(await ada.send(room, 'm-1', 'once')).toEqual({ ...first, duplicate: true })
    expect(await ada.refused('message:send', { room, id: 'm-1', text: 'twice' })).toMatchObject({
      code: 'conflict',
      retryable: false,
    })
    await ada.send(room, 'm-2')
    await ada.next('message', ({ seq }) => seq === 2)
    expect(ada.seqs(room)).toEqual([1, 2])
  })

  it('handles requests that are sent without waiting in their order', async () => {
    const room = newRoom()
    const ada = await guest()
    const joined = ada.join(room)
    const sends = Array.from({ length: 20 }, (_, i) => ada.send(room, `m-${i}`))
    await joined
    expect((await Promise.all(sends)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
  })
})

it('detects a message that is sent again through another worker, and shows nothing twice', async () => {
  const room = newRoom()
  const name = userName('Ada')
  const here = await clients.guest(name)
  const there = await clients.guestElsewhere(name, here)
  await Promise.all([here.join(room), there.join(room)])
  const ids = Array.from({ length: 50 }, (_, i) => `m-${i}`)
  const answers = await Promise.all(ids.flatMap((id) => [here.send(room, id), there.send(room, id)]))
  expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(50)
  expect(new Set(answers.map(({ seq }) => seq)).size).toBe(50)
  for (const client of [here, there]) {
    await client.next('message', ({ seq }) => seq === 50)
    expect(client.seqs(room)).toEqual(ids.map((_, i) => i + 1))
  }
})

it('forgets a room that was left, but no room of a lost connection', async () => {
  const [kept, left] = [newRoom(), newRoom()]
  const name = userName('Ada')
  const ada = await clients.guest(name)
  await ada.join(kept)
  await ada.join(left)
  await ada.ask('room:leave', { room: left })
  expect(await ada.refused('message:send', { room: left, id: 'm', text: 'x' })).toMatchObject({
    code: 'not_joined',
  })
  ada.close()
  const again = await clients.guest(name)
  expect((await again.ask('rooms', {})).rooms.map(({ room }) => room)).toEqual([kept])
})
