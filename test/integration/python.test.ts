/**
 * Debian's python3-socketio works with Rookery as a stock client: the protocol does not depend on JavaScript.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { directRoom } from '../../src/wire/chat-direct.ts'
import { ChatClient } from '../harness/client/chat-client.ts'
import { PythonClients } from '../harness/client/python-clients.ts'
import { startRookery } from '../harness/cluster/cluster.ts'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { PYTHON } from '../harness/python.ts'
import { until } from '../harness/until.ts'

const SCRIPT = new URL('../fixtures/python/chat.py', import.meta.url).pathname

/** Of a connection, as `welcome` tells it. */
interface Place {
  host: string
  worker: string
}

interface Served {
  url: string
  /** Replaces the workers, or stops a host. @returns whether a client with this welcome is there to stay */
  replace(): Promise<(place: Place) => boolean>
  /** Ends the client, and fails unless it exited successfully. */
  stop(): Promise<void>
}

async function serveOneHost(): Promise<Served> {
  const rookery = await startRookery({ env: { WORKERS: '2' } })
  return {
    url: rookery.url,
    replace: async () => {
      const old = rookery.workerNames()
      rookery.signal('SIGHUP')
      return ({ worker }) => !old.includes(worker)
    },
    stop: async () => expect(await rookery.stop()).toBe(0),
  }
}

/** Every request goes to the next host, whatever its session. */
async function serveBehindHaproxy(): Promise<Served> {
  const hosts = await LoopbackHosts.start({ hosts: 2, workersPerHost: 2 })
  const balancer = await RealBalancer.start('haproxy.cfg', hosts.ports)
  return {
    url: balancer.url,
    replace: async () => {
      expect(await hosts.metric('rookery_forward_sent_total')).toBeGreaterThan(0)
      expect(await hosts.at(0).stop()).toBe(0)
      return ({ host }) => host !== 'rookery-1'
    },
    stop: async () => {
      await balancer.stop()
      await hosts.stop()
    },
  }
}

async function talk(url: string, transports: string, room: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, url, transports, room])
  return JSON.parse(stdout) as Record<string, unknown>
}

describe.each([
  ['one host', serveOneHost],
  ['two hosts behind HAProxy without stickiness', serveBehindHaproxy],
])('on %s', (_, serve) => {
  let served: Served
  beforeAll(async () => {
    served = await serve()
  })
  afterAll(async () => {
    await served.stop()
  })

  it.each([
    ['websocket', 'websocket'],
    ['polling', 'polling'],
    ['polling,websocket', 'websocket'],
  ])(
    'python-socketio over %s joins, sends, resumes, reads, and writes direct messages',
    async (transports, ends) => {
      const room = `python.${randomUUID()}`
      const saw = await talk(served.url, transports, room)
      const [ada, bob] = saw.users as { id: string; name: string }[]
      const direct = directRoom(ada?.id ?? '', bob?.id ?? '')
      expect(saw.transport).toBe(ends)
      expect(saw.join).toMatchObject({ ok: true, room, head: 0, reset: false, messages: [], members: [ada] })
      expect(saw.sent).toMatchObject([1, 2, 3].map((seq) => ({ ok: true, seq, duplicate: false })))
      const texts = ['hello', '🐧 et ça va ?', 'tab\tand\nline']
      expect(saw.shown).toMatchObject(
        texts.map((text, i) => ({ room, seq: i + 1, kind: 'text', from: ada, text })),
      )
      expect(saw.resumed).toMatchObject({ ok: true, head: 6, reset: false, more: false })
      expect((saw.resumed as { messages: unknown[] }).messages).toMatchObject(
        [4, 5, 6].map((seq) => ({ seq })),
      )
      expect(saw.live).toMatchObject({ seq: 7, text: 'live again' })
      expect(saw.history).toMatchObject({ ok: true, more: true, messages: [{ seq: 2 }, { seq: 3 }] })
      expect(saw.rooms).toEqual({ ok: true, rooms: [{ room, head: 7, read: 0, unread: 7 }] })
      expect(saw.read).toEqual({ ok: true, seq: 5 })
      expect(saw.roomsAfterRead).toEqual({ ok: true, rooms: [{ room, head: 7, read: 5, unread: 2 }] })
      expect((saw.directRooms as { rooms: unknown[] }).rooms).toContainEqual({
        room: direct,
        head: 1,
        read: 0,
        unread: 1,
      })
      expect(saw.direct).toMatchObject({ ok: true, messages: [{ text: 'between us', from: ada }] })
      expect(saw.refused).toMatchObject({ ok: false, error: { code: 'bad_request', retryable: false } })
    },
  )

  it('python-socketio’s threaded client over websocket joins, sends and reads', async () => {
    const room = `python.${randomUUID()}`
    const saw = await talk(served.url, 'sync', room)
    expect(saw.join).toMatchObject({ ok: true, room, head: 0 })
    expect(saw.sent).toMatchObject({ ok: true, seq: 1, duplicate: false })
    expect(saw.shown).toMatchObject([{ seq: 1, text: 'threads' }])
    expect(saw.history).toMatchObject({ ok: true, messages: [{ seq: 1, text: 'threads' }] })
  })

  it('clients in Python and JavaScript, over both transports, come back after a reload or a stop', async () => {
    const room = `python.${randomUUID()}`
    const python = new PythonClients(served.url, room, 2)
    const stock: ChatClient[] = []
    try {
      for (const transport of ['polling', 'websocket'])
        stock.push(await ChatClient.guest(served.url, `stock ${transport}`, { transports: [transport] }))
      await until(
        () => python.welcomes.length === 4,
        'Python has connected',
        () => python.errors,
      )
      const stays = await served.replace()
      const last = (): Place[] => [
        ...new Map(python.welcomes.map((one) => [one.name, one])).values(),
        ...stock.map(({ welcome }) => welcome),
      ]
      await until(
        () => last().every(stays),
        'all clients are back',
        () => JSON.stringify(last()) + python.errors,
      )
      expect(await python.finish()).toEqual([true, true, true, true])
      for (const [n, client] of stock.entries()) {
        await client.join(room)
        await client.send(room, `stock-${n}`)
      }
    } finally {
      python.kill()
      for (const client of stock) client.close()
    }
  })
})
