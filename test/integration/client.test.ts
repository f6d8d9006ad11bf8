/** The client package with a real server: everything that its user can do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ChatClient, connectChat } from '../../src/client/client.ts'
import type { ChatError } from '../../src/client/errors.ts'
import { directRoom } from '../../src/wire/chat-direct.ts'
import { ChatClient as Stock } from '../harness/client/chat-client.ts'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let clients: { close(): unknown }[] = []
let roomNumber = 0

beforeAll(async () => {
  rookery = await startRookery({ env: { TEXT_MAX_CHARS: '100', ROOMS_PER_SOCKET: '3' } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})
afterEach(async () => {
  await Promise.all(clients.map((one) => one.close()))
  clients = []
})

/** A room for one test. */
function freshRoom(): string {
  roomNumber += 1
  return `room-${roomNumber}`
}

function watch(name: string, room: string, options: { firstPage?: number; inFlight?: number } = {}): Watch {
  const one = new Watch({ url: rookery.url, name, room, ...options })
  clients.push(one)
  return one
}

async function pair(): Promise<[Watch, Watch]> {
  const room = freshRoom()
  const both: [Watch, Watch] = [watch('Ann', room), watch('Bob', room)]
  await Promise.all(both.map((one) => one.room.live()))
  return both
}

function connect(auth: Parameters<typeof connectChat>[0]['auth']): ChatClient {
  const client = connectChat({ url: rookery.url, auth, retryBaseMs: 20 })
  clients.push(client)
  return client
}

describe('messages', () => {
  it('are shown at once as pending, and everywhere as sent', async () => {
    const [ann, bob] = await pair()
    const heard: [string | undefined, boolean][] = []
    bob.room.on('message', ({ text }, { live }) => heard.push([text, live]))
    const message = ann.room.send('hello\n👋 مرحبا')
    expect(message).toMatchObject({ state: 'pending', from: { name: 'Ann' }, edited: false, removed: false })
    expect(ann.room.messages).toMatchObject([{ id: message.id, state: 'pending' }])
    expect(await message.settled).toMatchObject({ id: message.id, state: 'sent' })
    await Promise.all([ann.has(1), bob.has(1)])
    expect(heard).toEqual([['hello\n👋 مرحبا', true]])
    expect(ann.room.messages).toEqual(bob.room.messages)
    expect(ann.room.messages).toMatchObject([{ id: message.id, seq: 1, state: 'sent' }])
  })

  it('are edited and removed by their authors, which later clients see', async () => {
    const [ann, bob] = await pair()
    for (const text of ['one', 'two', 'three']) await ann.room.send(text).settled
    await ann.has(3)
    const edit = ann.room.edit(1, 'ONE')
    expect(ann.room.messages[0]).toMatchObject({
      text: 'one',
      change: { kind: 'edit', text: 'ONE', state: 'pending' },
    })
    await edit.settled
    await ann.room.remove(2).settled
    await Promise.all([ann.has(5), bob.has(5)])
    const late = watch('Cy', ann.room.name)
    await late.room.live()
    for (const { room } of [ann, bob, late]) {
      expect(room.messages.map(({ text, edited, removed }) => [text, edited, removed])).toEqual([
        ['ONE', true, false],
        [undefined, false, true],
        ['three', false, false],
      ])
      expect(room.messages.some(({ change }) => change !== undefined)).toBe(false)
    }
  })

  it('that cannot be changed report why', async () => {
    const [ann, bob] = await pair()
    await ann.room.send('mine').settled
    await bob.has(1)
    const stolen = await bob.room.edit(1, 'his').settled
    expect(stolen).toMatchObject({ state: 'failed', failure: { code: 'forbidden', retryable: false } })
    expect(bob.room.messages[0]).toMatchObject({ text: 'mine', change: { state: 'failed' } })
    bob.room.messages[0]?.change?.failure?.discard()
    expect(bob.room.messages[0]).not.toHaveProperty('change')
  })

  it('that are too long fail permanently, and delay nothing', async () => {
    const [ann, bob] = await pair()
    const [long, short] = [ann.room.send('x'.repeat(101)), ann.room.send('short')]
    expect(await long.settled).toMatchObject({
      state: 'failed',
      failure: { code: 'too_large', retryable: false },
    })
    expect(await short.settled).toMatchObject({ state: 'sent' })
    await bob.has(1)
    expect(bob.texts()).toEqual(['short'])
    expect(() => ann.room.send('')).toThrow(expect.objectContaining({ code: 'bad_request' }))
    expect(ann.client.state.waiting).toBe(0)
  })

  it('above the rate limit are sent as fast as the server allows, in order', async () => {
    const [ann, bob] = await pair()
    const texts = Array.from({ length: 70 }, (_, i) => `${i}`)
    for (const text of texts) ann.room.send(text)
    await bob.has(70)
    await until(() => ann.client.state.waiting === 0, 'all messages are acked')
    expect(bob.texts()).toEqual(texts)
    ann.audit()
  })
})

describe('history', () => {
  it('is loaded further back, page by page, to the beginning', async () => {
    const writer = await Stock.guest(rookery.url, 'Writer')
    clients.push(writer)
    const room = freshRoom()
    await writer.join(room)
    for (let i = 1; i <= 35; i += 1) await writer.send(room, `m${i}`, `${i}`)
    const ann = watch('Ann', room, { firstPage: 10 })
    await ann.room.live()
    expect(ann.texts()).toEqual(Array.from({ length: 10 }, (_, i) => `${i + 26}`))
    const [again, added] = [ann.room.loadOlder(20), await ann.room.loadOlder(20)]
    expect([await again, added]).toEqual([20, 20])
    expect(ann.room.hasOlder).toBe(true)
    expect(await ann.room.loadOlder(20)).toBe(5)
    expect(ann.room.hasOlder).toBe(false)
    expect(await ann.room.loadOlder(20)).toBe(0)
    expect(ann.texts()).toEqual(Array.from({ length: 35 }, (_, i) => `${i + 1}`))
    const page = await ann.room.history({ after: 3, limit: 2 })
    expect(page).toMatchObject({ head: 35, more: true })
    expect(page.messages.map(({ text }) => text)).toEqual(['4', '5'])
    await expect(ann.room.history({ after: 1, before: 2 })).rejects.toMatchObject({ code: 'bad_request' })
  }, 60_000)
})

describe('people', () => {
  it('join, write, read and leave', async () => {
    const [ann, bob] = await pair()
    await until(() => ann.room.members.count === 2, 'both are present')
    expect(ann.room.members.list.map(({ name }) => name).toSorted()).toEqual(['Ann', 'Bob'])
    expect(await ann.room.fetchMembers()).toMatchObject({ count: 2 })

    // This is volatile: a client repeats it while its user types.
    await until(() => {
      bob.room.typing(true)
      return ann.room.writers[0]?.name === 'Bob'
    }, 'Bob is typing')
    bob.room.typing(false)
    await until(() => ann.room.writers.length === 0, 'Bob has stopped typing')

    const stock = new Stock(rookery.url, { auth: { name: 'Eve' } })
    clients.push(stock)
    await stock.next('welcome')
    await stock.join(ann.room.name)
    await until(() => {
      bob.room.typing(true)
      return stock.all('typing').length > 0
    }, 'Bob is typing')
    // In the turn of another event, with which a volatile one would be dropped.
    bob.room.read(0)
    void bob.room.fetchMembers()
    bob.room.typing(false)
    await stock.next('typing', ({ typing }) => !typing)
    stock.close()

    const marks: number[] = []
    ann.room.on('read', ({ user, seq }) => {
      if (user.id === bob.client.user?.id) marks.push(seq)
    })
    for (const text of ['one', 'two']) await ann.room.send(text).settled
    await bob.has(2)
    bob.room.read(2)
    bob.room.read(1)
    await until(() => marks.length > 0, 'Bob has read')
    expect(marks).toEqual([2])
    expect(ann.room.reads.get(bob.client.user?.id ?? '')).toBe(2)

    await bob.room.leave()
    await until(() => ann.room.members.count === 1, 'Bob has left')
    expect(bob.room.state).toBe('left')
    expect((await bob.client.rooms()).map(({ room }) => room)).not.toContain(bob.room.name)
    expect(() => bob.room.send('gone')).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('see their own rooms and the unread counts in them', async () => {
    const [ann, bob] = await pair()
    await ann.room.send('news').settled
    await bob.has(1)
    const mine = async () => (await bob.client.rooms()).find(({ room }) => room === bob.room.name)
    expect(await mine()).toMatchObject({ head: 1, read: 0, unread: 1 })
    bob.room.read(1)
    await until(async () => (await mine())?.unread === 0, 'the message is read')
  })
})

describe('the end of typing', () => {
  it('is reported with the message of who was typing', async () => {
    const [ann, bob] = await pair()
    let writers: string[] = []
    ann.room.on('typing', (all) => {
      writers = all.map(({ name }) => name)
    })
    await until(() => {
      bob.room.typing(true)
      return writers[0] === 'Bob'
    }, 'Bob is typing')
    const shown = new Promise((resolve) => {
      ann.room.on('message', () => resolve(writers))
    })
    bob.room.send('here it is')
    expect(await shown).toEqual([])
  })
})

describe('rooms', () => {
  it('of two users are named by the server', async () => {
    const [ann, bob] = await pair()
    const room = await ann.client.direct(bob.client.user?.id ?? '')
    expect(room.name).toBe(directRoom(ann.client.user?.id ?? '', bob.client.user?.id ?? ''))
    await room.live()
    expect(await bob.client.direct(ann.client.user?.id ?? '')).toMatchObject({ name: room.name })
    await expect(ann.client.direct('')).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('are joined once, at once, and refused with a reason', async () => {
    const ann = watch('Ann', freshRoom())
    expect(ann.client.join(ann.room.name)).toBe(ann.room)
    await ann.room.live()
    const other = directRoom('somebody', 'else') ?? ''
    const forbidden = ann.client.join(other)
    const lost = forbidden.send('never')
    await expect(forbidden.live()).rejects.toMatchObject({ code: 'forbidden' })
    expect(forbidden.state).toBe('refused')
    expect(await lost.settled).toMatchObject({ state: 'failed', failure: { code: 'forbidden' } })
    await expect(ann.client.join('no room!').live()).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('do not wait for each other', async () => {
    const ann = watch('Ann', freshRoom())
    const rooms = [ann.room, ann.client.join(freshRoom()), ann.client.join(freshRoom())]
    await Promise.all(rooms.map((room) => room.live()))
    const sent = await Promise.all(rooms.flatMap((room) => [room.send('a').settled, room.send('b').settled]))
    expect(sent.map(({ state }) => state)).toEqual(sent.map(() => 'sent'))
    await expect(ann.client.join(freshRoom()).live()).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('identity', () => {
  it('is reported, with the limits', async () => {
    const client = connect(async () => ({ name: 'Ann' }))
    await until(() => client.user !== undefined, 'the identity is known')
    expect(client.user?.name).toBe('Ann')
    expect(client.limits).toMatchObject({ textMaxChars: 100, roomsPerSocket: 3 })
  })

  it('that is refused is reported, and retried on request', async () => {
    let auth: { name: string } = { name: '' }
    const client = connect(() => auth)
    const refusals: [ChatError, boolean][] = []
    client.on('refused', (error, final) => refusals.push([error, final]))
    await until(() => client.state.state === 'refused', 'it is refused permanently')
    expect(refusals.at(-1)).toMatchObject([{ retryable: false }, true])
    await expect(client.rooms()).rejects.toMatchObject({ code: 'offline' })
    auth = { name: 'Ann' }
    client.connect()
    await until(() => client.state.state === 'online', 'it is admitted')
    expect(await client.rooms()).toEqual([])
  })

  it('that cannot be loaded is reported, and requested again', async () => {
    let asked = 0
    const client = connect(() => {
      asked += 1
      if (asked < 3) throw new Error('no token yet')
      return { name: 'Ann' }
    })
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error))
    await until(() => client.state.state === 'online', 'it is admitted')
    expect(errors).toHaveLength(2)
  })
})

describe('polling', () => {
  it('works like WebSocket', async () => {
    const room = freshRoom()
    const ann = new Watch({ url: rookery.url, name: 'Ann', room, socket: { transports: ['polling'] } })
    const bob = watch('Bob', room)
    clients.push(ann)
    await Promise.all([ann.room.live(), bob.room.live()])
    await Promise.all(Array.from({ length: 20 }, (_, i) => ann.room.send(`${i}`).settled))
    await bob.has(20)
    expect(bob.texts()).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
    ann.audit()
  })
})
