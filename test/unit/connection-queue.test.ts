/** Orders of events around a worker's end that a real worker cannot be made to produce. */
import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { RequestKind } from '../../src/core/destination.ts'
import { TokenBucket } from '../../src/core/token-bucket.ts'
import { Balancer } from '../../src/primary/front-door/balancer.ts'
import { ConnectionQueue, type QueuedConnection } from '../../src/primary/front-door/connection-queue.ts'
import type { HandOffChannel } from '../../src/primary/front-door/hand-off.ts'
import { frontMetrics } from '../../src/primary/front-door/metrics.ts'

class Channel extends EventEmitter implements HandOffChannel {
  readonly sent: Socket[] = []
  readonly ids: number[] = []
  connected = true
  failure: Error | null = null

  isConnected(): boolean {
    return this.connected
  }

  send(...[message, handle, , callback]: Parameters<HandOffChannel['send']>): boolean {
    this.sent.push(handle)
    this.ids.push(message.id)
    process.nextTick(callback, this.failure)
    return this.failure === null
  }

  disconnect(): void {
    this.connected = false
    this.emit('disconnect')
  }
}

const readClock = () => performance.now()

function create(burst = 1) {
  const refused: [QueuedConnection, string][] = []
  const losers: string[] = []
  const metrics = frontMetrics(new Registry(), {
    pendingHeads: () => 0,
    waiting: () => queue.size,
    loads: () => ({}),
  })
  const queue: ConnectionQueue = new ConnectionQueue({
    queueLength: 10,
    queueTimeoutMs: 60_000,
    inFlightPerWorker: 2,
    patienceMs: 60_000,
    flightTimeoutMs: 60_000,
    balancer: new Balancer(60_000),
    admission: new TokenBucket({ perSecond: 0, burst, now: 0 }),
    metrics: () => metrics,
    now: readClock,
    onRefused: (connection, reason) => refused.push([connection, reason]),
    onLost: (worker) => losers.push(worker),
  })
  const add = (name: string, slot = 0) => {
    const channel = new Channel()
    queue.addWorker({ name, tag: `tag-${name}`, slot, channel })
    return channel
  }
  const enter = (kind: RequestKind, tag: string | null = null, slot?: number) => {
    const socket = new Socket()
    queue.add({
      socket,
      bytes: Buffer.from('head'),
      method: 'GET',
      destination: { kind, tag },
      slot,
      since: readClock(),
    })
    return socket
  }
  return { queue, refused, add, enter, metrics, losers }
}

/** The worker reports that it has taken these connections. */
function take(queue: ConnectionQueue, name: string, ids: readonly number[]): void {
  for (const id of ids.slice()) queue.taken(name, { id, arrived: true })
}

const turn = () => new Promise(setImmediate)

test('a connection that a worker reported as taken goes to no other, even if the exit is known first', async () => {
  const { queue, add, enter } = create()
  const first = add('w1')
  const taken = enter('handshake')
  const untaken = enter('handshake')
  const second = add('w2')
  queue.removeWorker('w1')
  take(queue, 'w1', first.ids.slice(0, 1))
  first.disconnect()
  await turn()
  expect(first.sent).toEqual([taken, untaken])
  expect(second.sent).toEqual([untaken])
  expect([taken.destroyed, untaken.destroyed]).toEqual([true, false])
  queue.close()
})

test('a worker whose channel fails gets no more connections, and its connection goes to another', async () => {
  const { queue, add, enter } = create()
  const first = add('w1')
  first.failure = new Error('ERR_IPC_CHANNEL_CLOSED')
  const socket = enter('plain')
  await turn()
  expect([first.sent, queue.size]).toEqual([[socket], 1])
  expect(add('w2').sent).toEqual([socket])
  expect(socket.destroyed).toBe(false)
  queue.close()
})

test('a session waits for its owner while others have room, and goes to any worker when the owner has exited', async () => {
  const { queue, add, enter } = create()
  const owner = add('w1')
  const other = add('w2')
  const sockets = Array.from({ length: 5 }, () => enter('session', 'tag-w1'))
  expect([owner.sent, other.sent, queue.size]).toEqual([sockets.slice(0, 2), [], 3])
  take(queue, 'w1', owner.ids)
  expect([owner.sent, queue.size]).toEqual([sockets.slice(0, 4), 1])
  owner.disconnect()
  queue.removeWorker('w1')
  await turn()
  take(queue, 'w2', other.ids)
  expect(new Set(other.sent)).toEqual(new Set(sockets.slice(2)))
  expect(queue.size).toBe(0)
  queue.close()
})

test.each([
  ['requests of sessions', 'session', 'handshake'],
  ['handshakes', 'handshake', 'session'],
] as const)('a crowd of %s lets requests of the other kind through in turn', (_, crowd, few) => {
  const { queue, add, enter } = create()
  const channel = add('w1')
  const kindOf = new Map<Socket, RequestKind>()
  const join = (kind: RequestKind) => kindOf.set(enter(kind, kind === 'session' ? 'tag-w1' : null), kind)
  for (let count = 0; count < 7; count += 1) join(crowd)
  for (let count = 0; count < 2; count += 1) join(few)
  take(queue, 'w1', channel.ids.slice(0, 2))
  for (const id of channel.ids.slice(2)) take(queue, 'w1', [id])
  while (queue.size > 0) take(queue, 'w1', channel.ids.slice(-2))
  const waited = channel.sent.slice(2).map((socket) => kindOf.get(socket))
  expect(waited.slice(0, 4).filter((kind) => kind === few)).toHaveLength(2)
  expect(waited.slice(4)).toEqual([crowd, crowd, crowd])
  queue.close()
})

test('connections that closed while they waited are skipped', () => {
  const { queue, refused, add, enter } = create()
  const channel = add('w1')
  const sockets = Array.from({ length: 5 }, () => enter('plain'))
  sockets[2]?.destroy()
  sockets[3]?.destroy()
  take(queue, 'w1', channel.ids)
  expect(channel.sent).toEqual([sockets[0], sockets[1], sockets[4]])
  expect([queue.size, refused]).toEqual([0, []])
  queue.close()
})

test('a report of a connection that the worker was not given, or from an unknown worker, changes nothing', () => {
  const { queue, add, enter } = create()
  const channel = add('w1')
  take(queue, 'w1', [1, 1_000])
  take(queue, 'w9', [1])
  queue.removeWorker('w9')
  const socket = enter('plain')
  expect(channel.sent).toEqual([socket])
  expect(socket.destroyed).toBe(false)
  queue.close()
})

test('a late report about one connection affects no other', () => {
  const { queue, add, enter } = create()
  const channel = add('w1')
  const [first, second] = [enter('plain'), enter('plain')]
  const [firstId = 0, secondId = 0] = channel.ids
  take(queue, 'w1', [secondId, secondId])
  expect([first.destroyed, second.destroyed]).toEqual([false, true])
  const third = enter('plain')
  take(queue, 'w1', [secondId])
  expect([first.destroyed, third.destroyed]).toEqual([false, false])
  take(queue, 'w1', [firstId])
  expect([first.destroyed, third.destroyed]).toEqual([true, false])
  queue.close()
})

test('a connection that did not arrive is closed and counted as lost, unless its client had already left', async () => {
  const { queue, add, enter, metrics, losers } = create()
  const channel = add('w1')
  const [left, stayed] = [enter('plain'), enter('plain')]
  left.destroy()
  for (const id of channel.ids.slice()) queue.taken('w1', { id, arrived: false })
  expect(stayed.destroyed).toBe(true)
  expect(losers).toEqual(['w1'])
  expect((await metrics.lost.get()).values[0]?.value).toBe(1)
  expect((await metrics.handedOver.get()).values).toEqual([])
  queue.close()
})

test('a handshake with a key waits for the worker in its place and for its successor, and holds up no other', async () => {
  const { queue, add, enter, refused } = create(10)
  const first = add('w1', 0)
  const keyed = enter('handshake', null, 1)
  const free = enter('handshake')
  expect([first.sent, queue.size]).toEqual([[free], 1])
  const second = add('w2', 1)
  expect(second.sent).toEqual([keyed])
  queue.removeWorker('w2')
  second.disconnect()
  await turn()
  const other = enter('plain')
  expect([first.sent, queue.size]).toEqual([[free, other], 1])
  expect(add('w3', 1).sent).toEqual([keyed])
  expect([refused, keyed.destroyed]).toEqual([[], false])
  queue.close()
})
