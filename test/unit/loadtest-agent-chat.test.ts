import { afterEach, describe, expect, test } from 'vitest'
import { Client } from '../../loadtest/agent/client.ts'
import { ChatProtocol } from '../../loadtest/agent/protocol/chat-protocol.ts'
import { RoomHeads } from '../../loadtest/agent/protocol/room-heads.ts'
import { Counters } from '../../loadtest/agent/record/counters.ts'
import { Recorder } from '../../loadtest/agent/record/recorder.ts'
import {
  type Connection,
  type ConnectionEvents,
  RequestFailed,
} from '../../loadtest/connection/connection.ts'
import { randomOf } from '../../loadtest/load/random.ts'
import { idOf, keyOf, type MemberRecord, type Sends, textOf } from '../../loadtest/model/delivery-records.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { until } from '../harness/until.ts'

const RUN = 'abcd'
const ROOM = 'room'
type Ask = Record<string, unknown>

/** A log whose answers the test sets, and a connection to it without a network. */
class Server implements Connection {
  epoch = 'a'
  head = 0
  pageSize = 200
  readonly asked: [event: string, payload: Ask][] = []
  /** Replaces the usual answer. */
  answer: (event: string, payload: Ask) => unknown = () => undefined
  connected = false
  readonly transport = 'websocket'
  throttled = false
  readonly #events: ConnectionEvents

  constructor(events: ConnectionEvents) {
    this.#events = events
  }

  connect(): void {
    this.connected = true
    this.#events.onConnect()
  }

  async request(event: string, payload: unknown): Promise<unknown> {
    if (!this.connected) throw new RequestFailed('offline')
    const ask = payload as Ask
    this.asked.push([event, ask])
    await Promise.resolve()
    const answer = this.answer(event, ask)
    if (answer instanceof Error) throw answer
    return answer ?? this.#usual(event, ask)
  }

  throttle(): void {
    this.throttled = true
  }

  cut(): void {
    this.end('cut')
  }

  cycle(): void {
    this.end('left')
    this.connect()
  }

  close(): void {
    this.connected = false
  }

  end(reason: string): void {
    this.connected = false
    this.#events.onDisconnect(reason)
  }

  /** Stores a message, and delivers it unless the test says otherwise. */
  say(count: number, isShown = true): void {
    for (let said = 0; said < count; said += 1) {
      this.head += 1
      if (isShown) this.tell('message', this.#entry(this.head))
    }
  }

  tell(event: string, payload: Ask): void {
    this.#events.onEvent(event, { room: ROOM, ...payload })
  }

  of(event: string): Ask[] {
    return this.asked.filter(([name]) => name === event).map(([, payload]) => payload)
  }

  #usual(event: string, ask: Ask): unknown {
    if (event === 'message:send') {
      this.head += 1
      return { ok: true, seq: this.head, at: 1, duplicate: false }
    }
    const isOld = event === 'room:join' && ask.epoch !== this.epoch
    const from = isOld ? Math.max(0, this.head - Number(ask.limit)) : Number(ask.after)
    const to = Math.min(this.head, from + this.pageSize)
    const messages = Array.from({ length: to - from }, (_, place) => this.#entry(from + place + 1))
    const more = isOld ? from > 0 : to < this.head
    return { ok: true, room: ROOM, epoch: this.epoch, head: this.head, reset: isOld, messages, more }
  }

  /** A message of another client. */
  #entry(seq: number): Ask {
    return { room: ROOM, seq, id: idOf(RUN, keyOf(9, seq)), kind: 'text', text: textOf(nowMs(), 40) }
  }
}

let client: Client

class World {
  readonly counters = new Counters()
  readonly recorder = new Recorder({ run: RUN, limit: 100_000 })
  #server: Server | undefined

  constructor() {
    client = new Client({
      plan: {
        index: 4,
        url: 'http://127.0.0.1:1',
        transport: 'websocket',
        rooms: [ROOM],
        connectAtMs: 0,
        reads: 1_000,
        sends: true,
      },
      random: randomOf(1, 'client'),
      recorder: this.recorder,
      counters: this.counters,
      clock: nowMs,
      open: (_, events) => {
        this.#server = new Server(events)
        return this.#server
      },
      protocol: (context) => new ChatProtocol(context, new RoomHeads()),
    })
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('there is no connection')
    return this.#server
  }

  /** With `head` earlier messages. */
  static async joined(head = 0): Promise<World> {
    const world = new World()
    world.server.head = head
    client.connect(nowMs())
    await world.live()
    return world
  }

  live(): Promise<void> {
    return until(() => client.isLive, 'the client is live')
  }

  async back(): Promise<void> {
    this.server.connect()
    await this.live()
  }

  send(count = 1): void {
    for (let sent = 0; sent < count; sent += 1) client.send({ dueAt: nowMs(), pick: 0.5, textLength: 40 })
  }

  get members(): MemberRecord[] {
    return [...this.recorder.parts()].flatMap(({ members }) => members)
  }

  get shown(): number[][] {
    return this.members.map(({ seqs = new Float64Array() }) => [...seqs])
  }

  get sends(): Sends {
    const [part] = [...this.recorder.parts()]
    if (part === undefined) throw new Error('there are no records')
    return part.sends
  }

  untilShown(...logs: number[][]): Promise<void> {
    const wanted = JSON.stringify(logs)
    return until(
      () => JSON.stringify(this.shown) === wanted,
      `shown: ${wanted}`,
      () => JSON.stringify(this.shown),
    )
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, place) => from + place)
const refusal = (code: string, retryable: boolean) => ({
  ok: false,
  error: { code, message: code, retryable },
})

afterEach(() => client.close())

describe('a client of the chat follows its room', () => {
  test('from the head at its join', async () => {
    const world = await World.joined(30)
    world.server.say(3)
    expect(world.shown).toEqual([[31, 32, 33]])
    expect(world.members[0]).toMatchObject({ client: 4, room: ROOM, head: 30, epoch: 'a' })
    expect(client.outstanding).toBe(0)
    expect(world.server.throttled).toBe(false)
    client.slow()
    expect(world.server.throttled).toBe(true)
    world.server.throttled = false
    world.server.end('transport close')
    await world.back()
    expect(world.server.throttled).toBe(true)
    expect(world.counters.take()).toMatchObject({ connected: 1, joined: 1, delivered: 3 })
  })

  test('across a lost connection, page by page', async () => {
    const world = await World.joined()
    world.server.pageSize = 3
    world.server.say(2)
    world.server.end('transport close')
    expect(world.counters.take()).toMatchObject({ connected: 0, joined: 0, disconnects: 1 })
    world.server.say(10, false)
    await world.back()
    await world.untilShown(range(1, 12))
    expect(world.server.of('room:join').at(-1)).toMatchObject({ after: 2, epoch: 'a' })
    expect(world.server.of('room:history').map(({ after }) => after)).toEqual([5, 8, 11])
    const [[from, to] = [Number.NaN, Number.NaN]] = world.members[0]?.absences ?? []
    expect(to).toBeGreaterThanOrEqual(from)
  })

  test('across a gap, whose page it must request twice', async () => {
    const world = await World.joined()
    let refused = 0
    world.server.answer = (event) => {
      if (event !== 'room:history' || refused > 0) return undefined
      refused += 1
      return refusal('unavailable', true)
    }
    world.server.say(5, false)
    world.server.tell('gap', { from: 1, to: 5 })
    world.server.say(1)
    await world.untilShown(range(1, 6))
    expect(world.counters.take().connectErrors).toEqual({ 'history: unavailable': 1 })
  })

  test('across a gap that a lost connection leaves open and the next join closes', async () => {
    const world = await World.joined()
    world.server.answer = (event) => (event === 'room:history' ? new RequestFailed('disconnect') : undefined)
    world.server.say(5, false)
    world.server.tell('gap', { from: 1, to: 5 })
    await until(() => world.server.of('room:history').length > 0, 'the client has requested the page')
    world.server.end('transport close')
    await world.back()
    world.server.say(1)
    await world.untilShown(range(1, 6))
  })

  test('into another log', async () => {
    const world = await World.joined(7)
    world.server.say(1)
    world.server.epoch = 'b'
    world.server.head = 2
    world.server.tell('epoch', { epoch: 'b', head: 2 })
    await world.untilShown([8], [1, 2])
    world.server.say(1)
    await world.untilShown([8], [1, 2, 3])
    expect(world.members.map(({ epoch, head }) => [epoch, head])).toEqual([
      ['a', 7],
      ['b', 0],
    ])
    expect(world.members[0]?.leftAt).toBeLessThanOrEqual(world.members[1]?.joinedAt ?? Number.NaN)
    expect(world.members[1]?.leftAt).toBeNaN()
    expect(client.outstanding).toBe(0)
  })

  test('into another log that is longer than a page, and reads all of it', async () => {
    const world = await World.joined(7)
    world.server.epoch = 'b'
    world.server.head = 450
    world.server.tell('epoch', { epoch: 'b', head: 450 })
    await world.untilShown([], range(1, 450))
    world.server.say(1)
    await world.untilShown([], range(1, 451))
    expect(world.members.map(({ epoch, head }) => [epoch, head])).toEqual([
      ['a', 7],
      ['b', 0],
    ])
  })

  test('into another log that replaces the first one while it is read', async () => {
    const world = await World.joined()
    world.server.answer = (event) => {
      if (event !== 'room:history' || world.server.epoch === 'b') return undefined
      world.server.epoch = 'b'
      return undefined
    }
    world.server.say(5, false)
    world.server.tell('gap', { from: 1, to: 5 })
    await world.untilShown([], range(1, 5))
  })

  test('after retries of a refused join', async () => {
    const world = new World()
    world.server.answer = (event) =>
      event === 'room:join' && world.server.of('room:join').length < 4
        ? refusal('unavailable', true)
        : undefined
    client.connect(nowMs())
    await world.live()
    expect(world.counters.take().connectErrors).toEqual({ 'join: unavailable': 3 })
  })

  test('and records a message of a room that it is not in as foreign', async () => {
    const world = await World.joined()
    world.server.tell('message', { room: 'elsewhere', seq: 1, id: 'not for it' })
    expect(world.members[0]?.foreignIds).toEqual(['not for it in elsewhere'])
  })

  test('and records a message without a number as foreign', async () => {
    const world = await World.joined()
    world.server.tell('message', { id: 'nobody' })
    expect(world.members[0]?.foreignIds).toEqual([JSON.stringify({ room: ROOM, id: 'nobody' })])
  })
})

describe('a client of the chat sends', () => {
  test('with the same id until the message is acked', async () => {
    const world = await World.joined()
    const answers = [refusal('unavailable', true), new RequestFailed('timeout'), { ok: 'nonsense' }]
    world.server.answer = (event) => (event === 'message:send' ? answers.shift() : undefined)
    world.send()
    expect(client.unanswered).toBe(1)
    await until(() => client.unanswered === 0, 'the message is acked')
    const asked = world.server.of('message:send')
    expect(asked).toHaveLength(4)
    expect(new Set(asked.map((ask) => JSON.stringify(ask))).size).toBe(1)
    expect(asked[0]).toMatchObject({ room: ROOM, id: `${RUN}-4-0` })
    expect([...world.sends.seqs]).toEqual([1])
    expect(world.counters.take()).toMatchObject({
      sent: 1,
      acked: 1,
      refused: { unavailable: 1, 'bad answer': 1 },
    })
    // The message was acked, and is not delivered yet.
    expect(client.outstanding).toBe(1)
  })

  test('a message only once when it is refused permanently', async () => {
    const world = await World.joined()
    world.server.answer = (event) => (event === 'message:send' ? refusal('too_large', false) : undefined)
    world.send()
    await until(() => client.unanswered === 0, 'the message is refused')
    expect(world.server.of('message:send')).toHaveLength(1)
    expect([...world.sends.refused]).toEqual([1])
    expect(world.counters.take()).toMatchObject({ sent: 1, acked: 0, refused: { too_large: 1 } })
  })

  test('after a new join when the server does not know it as a member', async () => {
    const world = await World.joined()
    world.server.answer = (event) =>
      event === 'message:send' && world.server.of('room:join').length < 2
        ? refusal('not_joined', false)
        : undefined
    world.send()
    await until(() => client.unanswered === 0, 'the message is acked')
    expect([...world.sends.seqs]).toEqual([1])
    expect([...world.sends.refused]).toEqual([0])
  })

  test('messages that became due while it was offline, once it is back', async () => {
    const world = await World.joined()
    world.server.end('transport close')
    world.send(3)
    expect(world.sends.keys).toHaveLength(0)
    expect(client.unanswered).toBe(3)
    await world.back()
    await until(() => client.unanswered === 0, 'all messages are acked')
    expect([...world.sends.keys]).toEqual([keyOf(4, 0), keyOf(4, 1), keyOf(4, 2)])
    expect([...world.sends.seqs]).toEqual([1, 2, 3])
  })

  test('only up to a limit of waiting messages', async () => {
    const world = await World.joined()
    world.server.end('transport close')
    world.send(1_005)
    expect(client.unanswered).toBe(1_000)
    expect(world.counters.take().refused).toEqual({ backlog: 5 })
  })

  test('nothing once it is closed', async () => {
    const world = await World.joined()
    world.server.answer = (event) => (event === 'message:send' ? refusal('unavailable', true) : undefined)
    world.send()
    await until(() => world.server.of('message:send').length > 0, 'the message was sent')
    client.close()
    await until(() => client.unanswered === 0, 'the client has given up')
    expect([...world.sends.ackedAt]).toEqual([Number.NaN])
  })
})
