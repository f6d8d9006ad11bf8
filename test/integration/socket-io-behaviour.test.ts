/** What Socket.IO promises its users, through the port and over two workers, on both transports. */
import { Manager, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/behaviour.js', import.meta.url).pathname

let rookery: RunningRookery
beforeAll(async () => {
  rookery = await startRookery({ args: ['--app', APP] })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
  expect(rookery.countLogs('worker died')).toBe(0)
})

interface Client {
  socket: Socket
  worker: string
  id: string
  /** What arrived, without fences. */
  events: unknown[][]
  /** Asks the server, and resolves with its first answer. */
  ask: (event: string, ...args: unknown[]) => Promise<unknown>
}

interface Target {
  by?: 'socket'
  to?: string[]
  except?: string[]
  flags?: string[]
}

const emit = (from: Client, target: Target, ...args: unknown[]) => from.ask('emit', target, args)

/** What other servers have told this client's worker. */
const heardBy = async ({ ask }: Client) => (await ask('heard')) as unknown[][]

describe.each(['polling', 'websocket'])('over %s', (transport) => {
  const managers: Manager[] = []
  let fences = 0

  afterEach(() => {
    for (const one of managers.splice(0)) one._close()
  })

  function manager(): Manager {
    const made = new Manager(rookery.url, { transports: [transport], forceNew: true })
    managers.push(made)
    return made
  }

  async function connect(nsp = '/', auth: object = {}, over: Manager = manager()): Promise<Client> {
    const socket = over.socket(nsp, { auth })
    const events: unknown[][] = []
    socket.onAny((...event: unknown[]) => events.push(event))
    await new Promise<void>((resolve, reject) =>
      socket.once('connect', resolve).once('connect_error', reject),
    )
    const ask = (event: string, ...args: unknown[]): Promise<unknown> => socket.emitWithAck(event, ...args)
    const { worker, id } = (await ask('who')) as { worker: string; id: string }
    expect(id).toBe(socket.id)
    return { socket, worker, id, events, ask }
  }

  /** Two clients on two workers. */
  async function pair(nsp = '/', rooms: [string[], string[]] = [[], []]): Promise<[Client, Client]> {
    const first = await connect(nsp)
    let second = await connect(nsp)
    while (second.worker === first.worker) second = await connect(nsp)
    const both: [Client, Client] = [first, second]
    for (const [index, one] of both.entries()) await one.ask('join', rooms[index] ?? [])
    return both
  }

  /** What was emitted by `from`'s worker before has arrived at all of its namespace. */
  async function settle(from: Client, ...others: Client[]): Promise<void> {
    fences += 1
    const name = `fence ${fences}`
    await emit(from, {}, name)
    for (const { events } of [from, ...others]) {
      await until(() => events.some(([event]) => event === name), name)
      events.splice(0, events.length, ...events.filter(([event]) => !String(event).startsWith('fence')))
    }
  }

  describe('namespaces', () => {
    it('keep their events to themselves, on one connection and on two workers', async () => {
      const [main, other] = await pair()
      const news = await connect('/news', {}, main.socket.io)
      expect([news.worker, news.id === main.id]).toEqual([main.worker, false])
      await emit(other, {}, 'for all of /')
      await emit(news, {}, 'for all of /news')
      await settle(news)
      await settle(other, main)
      expect([main.events, other.events]).toEqual([[['for all of /']], [['for all of /']]])
      expect(news.events).toEqual([['for all of /news']])
      main.socket.disconnect()
      expect(await news.ask('echo', 'still here')).toBe('still here')
    })

    it('of a pattern are made on demand, on each worker, and are apart', async () => {
      const [red, otherRed] = await pair('/team-red')
      const blue = await connect('/team-blue')
      await emit(red, {}, 'for red')
      await settle(red, otherRed)
      await settle(blue)
      expect([red.events, otherRed.events, blue.events]).toEqual([[['for red']], [['for red']], []])
    })

    it('that do not exist refuse the client, whose other namespaces go on', async () => {
      const main = await connect()
      await expect(connect('/unknown', {}, main.socket.io)).rejects.toThrow('Invalid namespace')
      expect(await main.ask('echo', 1)).toBe(1)
    })
  })

  describe('middlewares', () => {
    it('of a namespace run in order and refuse with message and data, there alone', async () => {
      const refused = connect('/', { refused: true })
      await expect(refused).rejects.toMatchObject({
        message: 'not you',
        data: { steps: ['first', 'second'] },
      })
      const news = await connect('/news', { refused: true, name: 'ann' })
      expect(await news.ask('who')).toMatchObject({ auth: 'ann' })
    })

    it('of a socket stop an event, and tell its error listener', async () => {
      const client = await connect()
      expect(await client.ask('forbidden')).toEqual({ passed: false })
      await until(() => client.events.length > 0, 'the error came')
      expect(client.events).toEqual([['refused', 'forbidden']])
    })
  })

  describe('acknowledgements', () => {
    it('carry several values, and end by the time-out of the client', async () => {
      const { socket } = await connect()
      const answer = await new Promise((resolve) => {
        socket.emit('echo', 1, { two: [2] }, null, (...values: unknown[]) => resolve(values))
      })
      expect(answer).toEqual([1, { two: [2] }, null])
      await expect(socket.timeout(50).emitWithAck('silent')).rejects.toThrow('operation has timed out')
      expect(await socket.timeout(60_000).emitWithAck('echo', 'ä')).toBe('ä')
    })

    it('of the clients of all workers are collected; the time-out names those that came', async () => {
      const both = await pair('/', [['room'], ['room']])
      for (const { socket, worker } of both)
        socket.on('which', (answer: (value: unknown) => void) => answer(worker))
      const workers = both.map(({ worker }) => worker)
      const asked = (await both[0].ask('ask', { to: 'room', timeoutMs: 60_000 }, ['which'])) as {
        answers: string[]
      }
      expect(asked.answers.toSorted()).toEqual(workers.toSorted())
      both[1].socket.off('which')
      expect(await both[0].ask('ask', { to: 'room', timeoutMs: 500 }, ['which'])).toEqual({
        failed: 'operation has timed out',
        answers: [workers[0]],
      })
    })
  })

  it('binary arguments arrive as they are, in acks and on other workers', async () => {
    const [one, two] = await pair()
    const value = { name: 'ü', parts: [Buffer.from([0, 255]), { deep: new Uint8Array([1, 2]) }] }
    const expected = { name: 'ü', parts: [Buffer.from([0, 255]), { deep: Buffer.from([1, 2]) }] }
    expect(await one.ask('echo', value)).toEqual(expected)
    await emit(one, {}, 'bytes', value, Buffer.alloc(100_000, 7))
    await settle(one, two)
    for (const { events } of [one, two])
      expect(events).toEqual([['bytes', expected, Buffer.alloc(100_000, 7)]])
  })

  it('volatile events reach clients that are there, on all workers', async () => {
    const [one, two] = await pair()
    await until(async () => {
      await emit(one, { flags: ['volatile'] }, 'now')
      await settle(one, two)
      return one.events.length > 0 && two.events.length > 0
    }, 'a volatile event arrived at both')
  })

  describe('rooms', () => {
    it('are joined with a union, each member once, without those that are excepted', async () => {
      const [one, two] = await pair('/', [
        ['a', 'b'],
        ['b', 'shy'],
      ])
      await emit(one, { to: ['a', 'b'] }, 'a or b')
      await emit(one, { to: ['b'], except: ['shy'] }, 'b but not shy')
      await emit(two, { except: ['a'] }, 'not a')
      await emit(two, { to: ['nobody'] }, 'nobody')
      await settle(one, two)
      await settle(two, one)
      expect(one.events).toEqual([['a or b'], ['b but not shy']])
      // From two workers: in any order.
      expect(new Set(two.events.map(([event]) => event))).toEqual(new Set(['a or b', 'not a']))
      expect(two.events).toHaveLength(2)
    })

    it('and all others: a socket that broadcasts is left out', async () => {
      const [one, two] = await pair('/', [['a'], ['a']])
      await emit(one, { by: 'socket', flags: ['broadcast'] }, 'all others')
      await emit(one, { by: 'socket', to: ['a'] }, 'others of a')
      await emit(one, { by: 'socket', to: [two.id] }, 'private')
      await emit(one, { by: 'socket' }, 'myself')
      await emit(one, { flags: ['local'] }, 'my worker')
      await settle(one, two)
      expect(one.events).toEqual([['myself'], ['my worker']])
      expect(two.events).toEqual([['all others'], ['others of a'], ['private']])
    })

    it('are left on demand and with the connection', async () => {
      const [one, two] = await pair('/', [['a'], ['a', 'b']])
      expect(await two.ask('leave', 'a')).toEqual(['b'])
      await emit(one, { to: ['a'] }, 'a')
      await settle(one, two)
      expect([one.events, two.events]).toEqual([[['a']], []])
      two.socket.disconnect().connect()
      await new Promise<void>((resolve) => two.socket.once('connect', resolve))
      await emit(one, { to: ['b'] }, 'b')
      await settle(one, two)
      expect(two.events).toEqual([])
    })

    it('of all workers can be disconnected', async () => {
      const [one, two] = await pair('/', [[], ['out']])
      const reason = new Promise((resolve) => two.socket.once('disconnect', resolve))
      await one.ask('disconnect all of', 'out')
      expect(await reason).toBe('io server disconnect')
      expect(one.socket.connected).toBe(true)
    })
  })

  it('servers tell and ask each other, by namespace', async () => {
    const [one, two] = await pair('/news')
    const value = `over ${transport}`
    await one.ask('tell servers', value)
    await until(async () => (await heardBy(two)).some(([, told]) => told === value), 'the other was told')
    expect(await heardBy(two)).toContainEqual(['/news', value])
    expect(await heardBy(one)).not.toContainEqual(['/news', value])
    expect(await one.ask('ask servers')).toEqual([{ by: one.worker, worker: two.worker, nsp: '/news' }])
  })
})
