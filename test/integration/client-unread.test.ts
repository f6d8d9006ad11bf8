/**
 * What the client reports about its user's rooms: unsolicited direct messages, and unread counts, in every
 * tab.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectChat } from '../../src/client/client.ts'
import type { RoomSummary } from '../../src/client/connection/guards.ts'
import { directRoom } from '../../src/wire/chat-direct.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let network: Network
let tabs: Tab[] = []

beforeAll(async () => {
  rookery = await startRookery({ env: { ...UNLIMITED_RATES, WORKERS: '2' } })
  network = await Network.to(rookery.port)
})
afterEach(async () => {
  network.mend()
  await Promise.all(tabs.map(({ client }) => client.close()))
  tabs = []
})
afterAll(async () => {
  await network.close()
  expect(await rookery.stop()).toBe(0)
})

/** One client of a user, with everything that it reported about the user's rooms. */
class Tab {
  readonly client
  readonly summaries: [RoomSummary, string | undefined][] = []

  constructor(name: string, url = rookery.url) {
    this.client = connectChat({
      url,
      auth: { name: name.slice(0, 3), key: `the secret key of ${name}` },
      retryBaseMs: 20,
      socket: { reconnectionDelay: 20, reconnectionDelayMax: 200 },
    })
    this.client.on('room', (summary, from) => this.summaries.push([summary, from?.name]))
    tabs.push(this)
  }

  async isListening(): Promise<RoomSummary[]> {
    return this.client.rooms()
  }

  summary(room: string): RoomSummary | undefined {
    return this.summaries.findLast(([summary]) => summary.room === room)?.[0]
  }

  async has(room: string, more: Partial<RoomSummary>): Promise<void> {
    await until(
      () => {
        const summary = this.summary(room)
        return (
          summary !== undefined &&
          Object.entries(more).every(([key, value]) => Reflect.get(summary, key) === value)
        )
      },
      `the client reports ${JSON.stringify(more)}`,
      () => JSON.stringify(this.summaries),
    )
  }
}

function user(name: string): string {
  return `${name} ${randomUUID()}`
}

function directOf(one: Tab, other: Tab): string {
  return directRoom(one.client.user?.id ?? '', other.client.user?.id ?? '') ?? ''
}

describe('a direct message', () => {
  it('reaches every tab of a user who never joined, and nobody else', async () => {
    const bobsKey = user('Bob')
    // Enough to be on both workers: each connection goes to the worker with the fewest.
    const bobs = Array.from({ length: 8 }, () => new Tab(bobsKey))
    const [ann, eve] = [new Tab(user('Ann')), new Tab(user('Eve'))]
    await Promise.all([ann, eve, ...bobs].map((tab) => tab.isListening()))
    const [bob] = bobs
    if (bob === undefined) throw new Error('there are eight')
    const room = directOf(ann, bob)
    const asAnnHasIt = ann.client.join(room)
    await asAnnHasIt.send('are you there?').settled
    await asAnnHasIt.edit(1, 'Are you there?').settled
    await asAnnHasIt.send('hello?').settled
    await Promise.all(bobs.map((tab) => tab.has(room, { unread: 2 })))
    for (const tab of bobs) {
      expect(tab.summaries.filter(([, from]) => from === 'Ann').length).toBeGreaterThan(0)
      expect(tab.summaries.at(-1)).toEqual([{ room, head: 3, read: 0, unread: 2 }, 'Ann'])
      expect(tab.client.joined.size).toBe(0)
    }

    const asBobHasIt = bob.client.join(room)
    await asBobHasIt.live()
    expect(asBobHasIt.unread).toBe(2)
    asBobHasIt.read(3)
    expect(asBobHasIt.unread).toBe(0)
    await Promise.all(bobs.map((tab) => tab.has(room, { read: 3, unread: 0 })))
    await asBobHasIt.send('yes').settled
    await Promise.all(bobs.slice(1).map((tab) => tab.has(room, { head: 4, read: 4, unread: 0 })))

    expect(await eve.isListening()).toEqual([])
    expect(eve.summaries).toEqual([])
    expect(ann.summaries.filter(([, from]) => from !== undefined)).toEqual([])
  })

  it('that arrived while the connection was lost is reported after the reconnect', async () => {
    const [ann, bob] = [new Tab(user('Ann')), new Tab(user('Bob'), network.url)]
    await Promise.all([ann, bob].map((tab) => tab.isListening()))
    const room = directOf(ann, bob)
    network.cut()
    await until(() => bob.client.state.state === 'offline', 'the client is offline')
    await ann.client.join(room).send('are you there?').settled
    network.mend()
    await bob.has(room, { head: 1, unread: 1 })
  })
})

describe('unread counts', () => {
  it("are known in joined rooms, from the server's count and later messages", async () => {
    const [ann, bobsKey, name] = [new Tab(user('Ann')), user('Bob'), `room.${randomUUID()}`]
    const [bob, elsewhere] = [new Tab(bobsKey), new Tab(bobsKey)]
    const [anns, bobs] = [ann.client.join(name), bob.client.join(name)]
    await Promise.all([anns.live(), bobs.live()])
    for (const text of ['one', 'two', 'three']) await anns.send(text).settled
    await until(() => bobs.unread === 3, 'messages since joining are unread')
    bobs.read(1)
    expect([bobs.unread, bobs.readUpTo]).toEqual([2, 1])
    await until(() => anns.reads.get(bob.client.user?.id ?? '') === 1, 'the read marker has arrived')

    const numbers: number[] = []
    const there = elsewhere.client.join(name)
    there.on('unread', (unread) => numbers.push(unread))
    await there.live()
    await elsewhere.isListening()
    expect([there.unread, there.readUpTo]).toEqual([2, 1])
    await anns.remove(2).settled
    await until(() => there.unread === 1 && bobs.unread === 1, 'removed messages are not unread')
    await anns.send('four').settled
    await until(() => there.unread === 2 && bobs.unread === 2, 'new messages are unread')
    bobs.read(3)
    await until(() => there.unread === 1, 'messages read on another connection are read')
    await there.send('mine').settled
    await until(() => there.unread === 0 && bobs.unread === 0, 'the author has read the room')
    expect(numbers).toEqual([2, 1, 2, 1, 0])
    expect(await bob.client.rooms()).toEqual([{ room: name, head: 6, read: 6, unread: 0 }])
    expect(bob.summary(name)).toEqual({ room: name, head: 6, read: 6, unread: 0 })
  })

  it('are zero while each message is read as it arrives', async () => {
    const [ann, bob, name] = [new Tab(user('Ann')), new Tab(user('Bob')), `room.${randomUUID()}`]
    const [anns, bobs] = [ann.client.join(name), bob.client.join(name)]
    await Promise.all([anns.live(), bobs.live(), bob.isListening()])
    const numbers: number[] = []
    bobs.on('unread', (unread) => numbers.push(unread))
    bobs.on('message', ({ seq }) => bobs.read(seq))
    for (const text of ['one', 'two', 'three']) await anns.send(text).settled
    await bob.has(name, { head: 3, read: 3, unread: 0 })
    expect(numbers).toEqual([])
    await until(() => anns.reads.get(bob.client.user?.id ?? '') === 3, 'the server has the read marker')
  })

  it('are correct again after a reconnect, also for messages read elsewhere meanwhile', async () => {
    const [ann, bobsKey, name] = [new Tab(user('Ann')), user('Bob'), `room.${randomUUID()}`]
    const [bob, remote] = [new Tab(bobsKey), new Tab(bobsKey, network.url)]
    const [anns, bobs, far] = [ann, bob, remote].map(({ client }) => client.join(name))
    if (anns === undefined || bobs === undefined || far === undefined) throw new Error('there are three')
    await Promise.all([anns.live(), bobs.live(), far.live(), remote.isListening()])
    for (const text of ['one', 'two']) await anns.send(text).settled
    await until(() => far.unread === 2, 'both messages are unread')
    network.cut()
    await until(() => remote.client.state.state === 'offline', 'the client is offline')
    await anns.send('three').settled
    await until(() => bobs.lastSeq === 3, 'the message has arrived')
    bobs.read(2)
    await until(async () => (await bob.client.rooms())[0]?.read === 2, 'the read marker has arrived')
    network.mend()
    await remote.has(name, { head: 3, read: 2, unread: 1 })
    await until(() => far.unread === 1 && far.state === 'live', 'one message is unread')
  })
})
