/**
 * A client that stops reading costs little memory, delays nobody, and gets a gap event for what it missed.
 */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { ChatEvents } from '../../src/wire/chat.ts'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { until } from '../harness/until.ts'

/** Large texts fill the system's buffers fast. */
const TEXT = 'x'.repeat(5_000)
const MESSAGES_MAX = 20_000
let rookery: RunningRookery
let writer: ChatClient
const readers: RawClient[] = []

async function start(env: Record<string, string>): Promise<void> {
  rookery = await startRookery({
    env: {
      WORKERS: '1',
      TEXT_MAX_CHARS: '5000',
      SLOW_CLIENT_BYTES: '65536',
      ...UNLIMITED_RATES,
      ...env,
    },
  })
  writer = await ChatClient.guest(rookery.url, 'Writer')
}

/** Speaks Engine.IO and Socket.IO by hand, and can stop reading. */
abstract class RawClient {
  readonly received: { event: string; payload: unknown }[] = []
  readonly acks = new Map<number, Record<string, unknown>>()
  readonly name: string
  closed = false
  #asked = 0

  constructor(name: string) {
    this.name = name
    readers.push(this)
  }

  abstract pause(): void
  abstract resume(): void
  abstract terminate(): void
  protected abstract write(packet: string): void

  async welcomed(): Promise<this> {
    await until(() => this.received.some(({ event }) => event === 'welcome'), 'the client is welcomed')
    return this
  }

  ask(event: string, payload: unknown): number {
    this.#asked += 1
    this.write(`42${this.#asked}${JSON.stringify([event, payload])}`)
    return this.#asked
  }

  async join(room: string): Promise<void> {
    const id = this.ask('room:join', { room })
    await until(() => this.acks.get(id)?.ok === true, 'the client has joined')
  }

  /** The received sequence numbers, as messages or in gaps, in order. */
  numbers(): number[] {
    return this.received.flatMap(({ event, payload }) => {
      if (event === 'message') return [(payload as ChatEvents['message']).seq]
      if (event !== 'gap') return []
      const { from, to } = payload as ChatEvents['gap']
      return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    })
  }

  protected take(packet: string): void {
    if (packet.startsWith('0'))
      this.write(`40${JSON.stringify({ name: this.name, key: `key of ${this.name} the reader` })}`)
    if (packet === '2') this.write('3')
    if (packet.startsWith('42')) {
      const [event, payload] = JSON.parse(packet.slice(2)) as [string, unknown]
      this.received.push({ event, payload })
    }
    const [, id, ack] = /^43(\d+)(\[.*)$/s.exec(packet) ?? []
    if (ack !== undefined) this.acks.set(Number(id), (JSON.parse(ack) as [Record<string, unknown>])[0])
  }
}

class WebSocketClient extends RawClient {
  readonly #ws: WebSocket

  constructor(url: string, name: string) {
    super(name)
    this.#ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    this.#ws.on('close', () => {
      this.closed = true
    })
    this.#ws.on('message', (data: Buffer) => this.take(data.toString()))
  }

  static connect(url: string, name: string): Promise<WebSocketClient> {
    return new WebSocketClient(url, name).welcomed()
  }

  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  terminate(): void {
    this.#ws.terminate()
  }

  protected write(packet: string): void {
    this.#ws.send(packet)
  }
}

const PACKET_END = '\x1e'

/** While the client is paused it does not read the answer to its poll, and does not poll again. */
class PollingClient extends RawClient {
  readonly #url: string
  readonly #over = new AbortController()
  #sid = ''
  #writing: Promise<unknown> = Promise.resolve()
  #reading: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined

  constructor(url: string, name: string) {
    super(name)
    this.#url = `${url}/socket.io/?EIO=4&transport=polling`
  }

  static connect(url: string, name: string): Promise<PollingClient> {
    const client = new PollingClient(url, name)
    void client.#poll()
    return client.welcomed()
  }

  pause(): void {
    this.#reading = new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  resume(): void {
    this.#wake()
  }

  terminate(): void {
    this.#over.abort()
  }

  protected write(packet: string): void {
    const { signal } = this.#over
    const url = `${this.#url}&sid=${this.#sid}`
    this.#writing = this.#writing.then(() => fetch(url, { method: 'POST', body: packet, signal }))
  }

  async #poll(): Promise<void> {
    const { signal } = this.#over
    try {
      for (;;) {
        const answer = await fetch(this.#sid === '' ? this.#url : `${this.#url}&sid=${this.#sid}`, { signal })
        await this.#reading
        if (!answer.ok) break
        const packets = (await answer.text()).split(PACKET_END)
        if (this.#sid === '') this.#sid = JSON.parse(packets[0]?.slice(1) ?? '').sid
        for (const packet of packets) this.take(packet)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    this.closed = true
  }
}

const metric = (name: string) => metricSum(rookery.adminUrl, name)

/** Writes until the condition holds. @returns the number of messages it took */
async function writeUntil(room: string, condition: () => Promise<boolean>): Promise<number> {
  let sent = 0
  while (!(await condition())) {
    if (sent > MESSAGES_MAX) throw new Error('the client never became slow')
    const ids = Array.from({ length: 20 }, () => randomUUID())
    sent += ids.length
    await Promise.all(ids.map((id) => writer.send(room, id, TEXT)))
  }
  return sent
}

beforeEach(() => {
  readers.length = 0
})
afterEach(async () => {
  for (const reader of readers) reader.terminate()
  writer.close()
  expect(await rookery.stop()).toBe(0)
})

it('is skipped, then gets a gap event, and receives all live messages again', async () => {
  await start({})
  const room = 'lobby'
  const [slow, fast] = [
    await WebSocketClient.connect(rookery.url, 'Slow'),
    await WebSocketClient.connect(rookery.url, 'Fast'),
  ]
  await writer.join(room)
  await slow.join(room)
  await fast.join(room)
  slow.pause()
  const sent = await writeUntil(room, async () => (await metric('rookery_chat_slow_members')) === 1)
  slow.resume()
  await until(() => slow.numbers().at(-1) === sent, 'it knows of all sent messages')
  const { seq } = await writer.send(room, randomUUID(), 'the last')
  await until(() => slow.numbers().at(-1) === seq, 'it gets the last message')
  expect(slow.numbers()).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
  expect(slow.received.at(-1)).toMatchObject({ event: 'message', payload: { text: 'the last' } })
  expect(slow.received.filter(({ event }) => event === 'gap')).toHaveLength(1)
  await until(() => fast.numbers().at(-1) === seq, 'the other client gets the last message')
  expect(fast.received.filter(({ event }) => event === 'gap')).toEqual([])
  expect(await metric('rookery_chat_gaps_total')).toBe(1)
})

it('is skipped while it does not poll, and gets a gap event when it polls again', async () => {
  await start({})
  const room = 'lobby'
  const slow = await PollingClient.connect(rookery.url, 'Slow')
  await writer.join(room)
  await slow.join(room)
  slow.pause()
  const sent = await writeUntil(room, async () => (await metric('rookery_chat_slow_members')) === 1)
  const more = 200
  await Promise.all(Array.from({ length: more }, () => writer.send(room, randomUUID(), TEXT)))
  slow.resume()
  await until(() => slow.numbers().at(-1) === sent + more, 'it knows of all sent messages')
  const { seq } = await writer.send(room, randomUUID(), 'the last')
  await until(() => slow.numbers().at(-1) === seq, 'it gets the last message')
  expect(slow.numbers()).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
  expect(slow.received.filter(({ event }) => event === 'gap')).toHaveLength(1)
  // The queue holds the limit plus one message, once in the answer to its poll and once after it.
  const kept = slow.received.filter(({ event }) => event === 'message').length - 1
  expect(kept * TEXT.length).toBeLessThan(2 * (65_536 + 2 * TEXT.length))
})

it('is disconnected when it stays slow', async () => {
  await start({ SLOW_CLIENT_MS: '200' })
  const slow = await WebSocketClient.connect(rookery.url, 'Slow')
  await writer.join('lobby')
  await slow.join('lobby')
  slow.pause()
  await writeUntil('lobby', async () => (await metric('rookery_chat_slow_disconnects_total')) === 1)
  await until(
    async () => (await writer.ask('room:members', { room: 'lobby' })).count === 1,
    'it is disconnected',
  )
  slow.resume()
  await until(() => slow.closed, 'its connection is closed')
  expect(writer.disconnects).toEqual([])
})

it('gets no more pages while it does not read those that it requested', async () => {
  await start({})
  await writer.join('lobby')
  await Promise.all(Array.from({ length: 100 }, () => writer.send('lobby', randomUUID(), TEXT)))
  const slow = await WebSocketClient.connect(rookery.url, 'Slow')
  slow.pause()
  const asked = Array.from({ length: 100 }, () => slow.ask('room:history', { room: 'lobby' }))
  await until(async () => {
    const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
    return /rookery_chat_requests_total\{[^}]*event="room:history",code="rate_limited"/.test(metrics)
  }, 'some requests are refused')
  slow.resume()
  await until(() => asked.every((id) => slow.acks.has(id)), 'all requests are answered')
  const refused = asked.filter((id) => slow.acks.get(id)?.ok === false)
  expect(refused.length).toBeGreaterThan(50)
  expect(slow.acks.get(refused[0] ?? 0)?.error).toMatchObject({ code: 'rate_limited', retryable: true })
})
