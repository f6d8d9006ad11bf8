import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FrameReader } from '../../src/core/byte-frames.ts'
import { SocketFile } from '../../src/core/socket-file.ts'
import type { RelayHandlers, RelayLimits } from '../../src/primary/relay/relay.ts'
import { Relay } from '../../src/primary/relay/relay.ts'
import type { PresenceChange } from '../../src/wire/app.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import type { PrimaryFrame } from '../../src/wire/frames.ts'
import {
  helloFrame,
  LINK_VERSION,
  publicationFrames,
  publishFrame,
  subscribeFrame,
  unsubscribeFrame,
} from '../../src/wire/frames.ts'
import { decodePrimaryFrame } from '../../src/wire/frames-decode.ts'
import type { LinkLimits } from '../../src/worker/link/limits.ts'
import { Link } from '../../src/worker/link/link.ts'
import { constantHandlers } from '../harness/relay-handlers.ts'
import { until } from '../harness/until.ts'

const SECRET = 'a secret of the link'
const logger = pino({ level: 'silent' })
const entry: LogEntry = {
  room: 'lobby',
  seq: 1,
  id: 'm1',
  kind: 'text',
  from: { id: 'u1', name: 'Ann' },
  text: 'hello',
  at: 1,
}

const publication = publishFrame({
  ref: 0,
  volatile: false,
  topics: ['t'],
  grants: [],
  body: Buffer.from('x'),
  rest: 0,
})

let directory: string
let path: string
let relay: Relay
let registry: Registry
let links: Link[] = []
const linkRegistries = new Map<string, Registry>()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-link-'))
  path = join(directory, 'link')
})

afterEach(async () => {
  await Promise.all(links.map((link) => link.close()))
  links = []
  await relay.close()
  await rm(directory, { recursive: true })
})

const handlers: RelayHandlers = {
  ...constantHandlers,
  'log.append': ({ draft }) => {
    if (draft.id === 'conflicting')
      throw new RookeryError('conflict', 'said otherwise before', { retryAfterMs: 7 })
    if (draft.id === 'broken') throw new TypeError('a fault of the handler')
    if (draft.id === 'never') return new Promise(() => undefined)
    return { seq: 1, at: 2, duplicate: false }
  },
}

async function listen(limits: Partial<RelayLimits> = {}, others: Partial<RelayHandlers> = {}): Promise<void> {
  registry = new Registry()
  const all = { ...handlers, ...others }
  relay = await Relay.listen({
    listen: (server) => SocketFile.listen(server, path),
    secret: SECRET,
    handlers: all,
    logger,
    registry,
    limits,
  })
}

async function enlist(name: string, limits: Partial<LinkLimits> = {}): Promise<Link> {
  linkRegistries.set(name, new Registry())
  const link = await Link.connect({
    boot: { name, linkPath: path, linkSecret: SECRET },
    logger,
    registry: linkRegistries.get(name) ?? new Registry(),
    limits,
  })
  links.push(link)
  return link
}

/** The frames that arrive at a link, as texts, and a promise of the first `count` of them. */
function inbox(link: Link) {
  const texts: string[] = []
  let wake: (() => void) | undefined
  link.onMessage((body, from) => {
    texts.push(`${from}:${body.toString()}`)
    wake?.()
  })
  const first = async (count: number): Promise<string[]> => {
    while (texts.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return texts
  }
  return { texts, first }
}

function linkMetric(worker: string, name: string): Promise<number> {
  return metric(name, {}, linkRegistries.get(worker))
}

async function metric(
  name: string,
  labels: Record<string, string> = {},
  from: Registry | undefined = registry,
): Promise<number> {
  const found = await from.getSingleMetric(name)?.get()
  const values = found?.values.filter((value) =>
    Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
  )
  return (values ?? []).reduce((sum, { value }) => sum + value, 0)
}

const draft = (id: string) => ({
  room: 'lobby',
  draft: { kind: 'text' as const, id, from: entry.from, text: 'x' },
})

describe('publications', () => {
  it('reach each other worker with an interest in any of the topics, once, in order', async () => {
    await listen()
    const [a, b, c] = [await enlist('w1'), await enlist('w2'), await enlist('w3')]
    const [atA, atB, atC] = [inbox(a), inbox(b), inbox(c)]
    await Promise.all([a.subscribe('t'), b.subscribe('t'), b.subscribe('u'), c.subscribe('v')])
    a.publish(['t', 'u'], Buffer.from('1'))
    a.publish(['nobody'], Buffer.from('2'))
    a.publish(['u', 'v'], Buffer.from('3'))
    expect(await atB.first(2)).toEqual(['w1:1', 'w1:3'])
    expect(await atC.first(1)).toEqual(['w1:3'])
    expect(atA.texts).toEqual([])
  })

  it('keep their order across turns, sizes and kinds', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const sizes: number[] = []
    const done = new Promise<void>((resolve) => {
      b.onMessage((body) => {
        sizes.push(body.readUInt32BE(0))
        if (sizes.length === 400) resolve()
      })
    })
    await b.subscribe('t')
    for (let index = 0; index < 400; index += 1) {
      const body = Buffer.alloc(index % 7 === 0 ? 200_000 : 10)
      body.writeUInt32BE(index)
      if (index % 5 === 0) a.send('w2', body)
      else a.publish(['t'], body)
      if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    expect(sizes).toEqual(Array.from({ length: 400 }, (_, index) => index))
  })

  it('stop after as many unsubscribes as subscribes', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const atB = inbox(b)
    await Promise.all([b.subscribe('t'), b.subscribe('t')])
    b.unsubscribe('t')
    await b.subscribe('end')
    a.publish(['t'], Buffer.from('still'))
    await atB.first(1)
    b.unsubscribe('t')
    await b.subscribe('fence')
    a.publish(['t'], Buffer.from('no more'))
    a.publish(['end'], Buffer.from('end'))
    expect(await atB.first(2)).toEqual(['w1:still', 'w1:end'])
  })

  it('use the topics that an earlier publication has granted, and no others', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const atB = inbox(b)
    b.onMessage((body) => {
      if (body.toString() === 'join') void b.subscribe('new')
    })
    await b.subscribe('t')
    a.publish(['t'], Buffer.from('join'), { grants: ['new', 'unused'] })
    a.publish(['new'], Buffer.from('first'))
    expect(await atB.first(2)).toEqual(['w1:join', 'w1:first'])
    await b.subscribe('fence')
    a.publish(['unused'], Buffer.from('lost'))
    a.publish(['new'], Buffer.from('second'))
    expect(await atB.first(3)).toEqual(['w1:join', 'w1:first', 'w1:second'])
  })

  it('with a receipt report which workers they reached before any answer arrives', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    await enlist('w3')
    await b.subscribe('t')
    b.onMessage((_body, from) => b.send(from, Buffer.from('answer')))
    const told: string[] = []
    const answered = new Promise<void>((resolve) => {
      a.onMessage((body) => {
        told.push(body.toString())
        resolve()
      })
    })
    a.publishWithReceipt(['t'], Buffer.from('question'), (workers) => told.push(...workers))
    await answered
    expect(told).toEqual(['w2', 'answer'])
  })

  it('that are longer than allowed are refused', async () => {
    await listen()
    const a = await enlist('w1', { maxMessageBytes: 1_000, maxFrameBytes: 2_000 })
    const tooLarge = expect.objectContaining({ code: 'too_large' })
    expect(() => a.publish(['t'], Buffer.alloc(1_001))).toThrow(tooLarge)
    expect(() => a.publishWithReceipt(['t'], Buffer.alloc(1_001), () => undefined)).toThrow(tooLarge)
    expect(() => a.send('w2', Buffer.alloc(2_001))).toThrow(tooLarge)
    expect(a.publish(['t'], Buffer.alloc(1_000))).toBe(true)
  })
})

/** The body's length and a digest of its bytes. */
function brief(body: Buffer): string {
  return `${body.length} ${createHash('sha256').update(body).digest('hex').slice(0, 8)}`
}

const fromA = (got: string[]) => got.filter((line) => line.startsWith('w1'))

const collectBriefs = (link: Link): string[] => {
  const got: string[] = []
  link.onMessage((body, from) => got.push(`${from} ${brief(body)}`))
  return got
}

describe('long publications', () => {
  it('arrive whole and in the order of the calls, with their receipts', async () => {
    await listen({ maxFrameBytes: 3_000 })
    const limits = { partBytes: 1_000, maxFrameBytes: 3_000 }
    const [a, b, c] = [await enlist('w1', limits), await enlist('w2', limits), await enlist('w3', limits)]
    const [atB, atC] = [collectBriefs(b), collectBriefs(c)]
    await Promise.all([b.subscribe('t'), c.subscribe('t')])
    const bodies = [10, 1_000, 1_001, 50_000, 1, 7_777].map((bytes) => randomBytes(bytes))
    const reached: string[] = []
    for (const body of bodies) {
      a.publish(['t'], body)
      a.publishWithReceipt(['t'], body, (workers) => reached.push(...workers))
      c.publish(['t'], body)
    }
    const sent = bodies.flatMap((body) => [`w1 ${brief(body)}`, `w1 ${brief(body)}`])
    await until(() => fromA(atB).length === sent.length && fromA(atC).length === sent.length, 'all arrive')
    expect([fromA(atB), fromA(atC)]).toEqual([sent, sent])
    expect(reached).toEqual(bodies.flatMap(() => ['w2', 'w3']))
  })

  it('cost nothing once their sender has died in between', async () => {
    await listen()
    const b = await enlist('w2')
    const atB = collectBriefs(b)
    await b.subscribe('t')
    const rogue = connect(path)
    rogue.write(helloFrame({ version: LINK_VERSION, name: 'w3', secret: SECRET }))
    await once(rogue, 'data')
    const whole = { ref: 0, volatile: false, topics: ['t'], grants: ['u'], body: randomBytes(2_500) }
    const [first, second] = publicationFrames(whole, 1_000)
    const gone = new Promise((resolve) => b.onPeerGone(resolve))
    rogue.end(Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)]))
    expect(await gone).toBe('w3')
    await until(async () => (await metric('rookery_relay_topics')) === 1, 'the grant is released')
    expect(await linkMetric('w2', 'rookery_link_incomplete_bytes')).toBe(0)
    expect(await linkMetric('w2', 'rookery_link_incomplete_total')).toBe(1)
    expect(atB).toEqual([])
  })

  it('are dropped whole at a worker that is too slow for their end, and reach the others', async () => {
    await listen({ hardBytes: 50_000, restBytes: 2_000_000, softBytes: 1_000 })
    const [a, b] = [await enlist('w1', { partBytes: 10_000 }), await enlist('w2')]
    const atB = collectBriefs(b)
    await b.subscribe('t')
    const stuck = connect(path)
    const frames: PrimaryFrame[] = []
    const reader = new FrameReader(1_000_000)
    stuck.on('data', (chunk) => frames.push(...reader.push(chunk).map(decodePrimaryFrame)))
    stuck.write(helloFrame({ version: LINK_VERSION, name: 'w3', secret: SECRET }))
    await until(() => frames.length === 1, 'the worker is welcomed')
    stuck.write(subscribeFrame(1, 't', false))
    await until(() => frames.length === 2, 'the worker is subscribed')
    stuck.pause()
    const body = randomBytes(6_000_000)
    let reached: readonly string[] = []
    a.publishWithReceipt(['t'], body, (workers) => (reached = workers))
    await until(() => atB.length === 1, 'the other worker has it')
    expect(await metric('rookery_relay_dropped_total', { urgency: 'part' })).toBe(1)
    stuck.resume()
    await until(() => frames.at(-1)?.kind === 'messageAbandoned', 'the slow worker learns of it')
    await until(() => reached.length > 0, 'the receipt arrives')
    // Both are waited for: an answer of the slow one would be missing.
    expect(reached).toEqual(['w2', 'w3'])
    stuck.destroy()
  })

  it('past the memory for incomplete ones are dropped', async () => {
    await listen()
    const limits = { partBytes: 1_000, incompleteBytes: 5_000 }
    const [a, b] = [await enlist('w1', limits), await enlist('w2', limits)]
    const atB = collectBriefs(b)
    await b.subscribe('t')
    for (const bytes of [5_000, 5_001, 10]) a.publish(['t'], Buffer.alloc(bytes))
    await until(() => atB.length === 2, 'the others arrive')
    expect(atB.map((line) => line.split(' ')[1])).toEqual(['5000', '10'])
    expect(await linkMetric('w2', 'rookery_link_incomplete_total')).toBe(1)
  })
})

describe('groups', () => {
  it('report their members, and who joins and leaves', async () => {
    await listen()
    const [a, b, c] = [await enlist('w1'), await enlist('w2'), await enlist('w3')]
    const told: string[] = []
    const watch = (own: string) => ({
      joined: (worker: string) => told.push(`${own}: ${worker} joined`),
      left: (worker: string) => told.push(`${own}: ${worker} left`),
    })
    await a.enterGroup('g', watch('w1'))
    await b.enterGroup('g', watch('w2'))
    await c.enterGroup('g', watch('w3'))
    b.unsubscribe('g')
    const gone = new Promise((resolve) => a.onPeerGone(resolve))
    await c.close()
    await gone
    expect(told.filter((line) => line.startsWith('w1'))).toEqual([
      'w1: w2 joined',
      'w1: w3 joined',
      'w1: w2 left',
      'w1: w3 left',
    ])
    expect(told.filter((line) => line.startsWith('w2'))).toEqual(['w2: w1 joined', 'w2: w3 joined'])
  })

  it('that are left and entered again at once have the right members', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    await b.enterGroup('g', { joined: () => undefined, left: () => undefined })
    const members = new Set<string>()
    const listener = { joined: (w: string) => members.add(w), left: (w: string) => members.delete(w) }
    void a.enterGroup('g', { joined: () => expect.unreachable(), left: () => expect.unreachable() })
    a.unsubscribe('g')
    await a.enterGroup('g', listener)
    expect([...members]).toEqual(['w2'])
  })
})

describe('requests', () => {
  it("of a worker are answered, or refused with the handler's error or with `internal`", async () => {
    await listen()
    const a = await enlist('w1')
    expect(await a.request('log.append', draft('m1'))).toEqual({ seq: 1, at: 2, duplicate: false })
    await expect(a.request('log.append', draft('conflicting'))).rejects.toMatchObject({
      code: 'conflict',
      retryAfterMs: 7,
      message: 'said otherwise before',
    })
    await expect(a.request('log.append', draft('broken'))).rejects.toMatchObject({ code: 'internal' })
    await expect(a.request('log.append', draft('m1 is no id'))).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('whose reply is too long for the link are refused; the link stays', async () => {
    const members = [{ id: 'u1', name: 'x'.repeat(60) }]
    await listen(
      { maxFrameBytes: 200 },
      { 'presence.members': () => ({ members: [...members, ...members, ...members], count: 3 }) },
    )
    const a = await enlist('w1', { maxFrameBytes: 200 })
    await expect(a.request('presence.members', { room: 'lobby' })).rejects.toMatchObject({
      code: 'too_large',
    })
    a.handle('worker.metrics', () => [{ name: 'x'.repeat(300) }])
    await expect(relay.request('w1', 'worker.metrics', null)).rejects.toMatchObject({ code: 'too_large' })
    expect(relay.workers()).toEqual(['w1'])
  })

  it('past their deadline, over their limit, or on a lost link are `unavailable`', async () => {
    await listen()
    const a = await enlist('w1', { maxOpenCalls: 2 })
    const late = a.request('log.append', draft('never'), { timeoutMs: 1 })
    await expect(late).rejects.toMatchObject({ code: 'unavailable' })
    const waiting = [1, 2].map(() =>
      expect(a.request('log.append', draft('never'))).rejects.toMatchObject({ code: 'unavailable' }),
    )
    await expect(a.request('log.append', draft('m1'))).rejects.toMatchObject({ code: 'unavailable' })
    const closed = new Promise<void>((resolve) => a.onClose(resolve))
    await relay.close()
    await Promise.all(waiting)
    await closed
    await expect(a.request('log.append', draft('m1'))).rejects.toMatchObject({ code: 'unavailable' })
    expect(a.publish(['t'], Buffer.from('x'))).toBe(false)
    await expect(a.subscribe('t')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of the primary are answered by the worker, or `unavailable` when the worker has exited', async () => {
    await listen()
    const a = await enlist('w1')
    await expect(relay.request('w1', 'worker.metrics', null)).rejects.toMatchObject({ code: 'unavailable' })
    a.handle('worker.metrics', () => [{ name: 'x' }])
    expect(await relay.request('w1', 'worker.metrics', null)).toEqual([{ name: 'x' }])
    a.handle('worker.status', () => new Promise(() => undefined))
    const lost = expect(relay.request('w1', 'worker.status', null)).rejects.toMatchObject({
      code: 'unavailable',
    })
    await a.close()
    await lost
    await expect(relay.request('w9', 'worker.metrics', null)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a notification of the primary', () => {
  it('reaches workers with an interest, in one order with everything else', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const told: string[] = []
    const done = new Promise<void>((resolve) => {
      a.onEntry(({ seq }) => told.push(`entry ${seq}`))
      a.onEvent(({ type }) => {
        told.push(type)
        if (type === 'state') resolve()
      })
    })
    b.onEntry(() => expect.unreachable())
    await a.subscribe('r:lobby').then(() => told.push('subscribed'))
    relay.publishEntry('r:lobby', entry)
    relay.publishEvent('r:lobby', { type: 'presence', room: 'lobby', joined: [], left: [], count: 0 })
    relay.publishEntry('r:lobby', { ...entry, seq: 2 })
    relay.publishEntry('r:other', entry)
    relay.publishEvent(null, { type: 'state', state: 'ok' })
    await done
    expect(told).toEqual(['subscribed', 'entry 1', 'presence', 'entry 2', 'state'])
  })

  it('reports that a worker has exited, after its last messages', async () => {
    await listen()
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const told: string[] = []
    a.onMessage((body) => told.push(body.toString()))
    const gone = new Promise<void>((resolve) => {
      a.onPeerGone((worker) => {
        told.push(`${worker} gone`)
        resolve()
      })
    })
    await a.subscribe('t')
    b.publish(['t'], Buffer.from('last words'))
    const ended = b.close()
    relay.removeWorker('w2')
    expect(relay.workers()).toEqual(['w1'])
    await gone
    await ended
    expect(told).toEqual(['last words', 'w2 gone'])
  })

  it('comes after the last requests of a worker that has exited', async () => {
    const told: string[] = []
    await listen({}, { 'presence.enter': ({ sessionId }) => ({ members: [], count: told.push(sessionId) }) })
    const b = await enlist('w2')
    const gone = new Promise<void>((resolve) => {
      relay.onWorkerGone((worker) => {
        told.push(`${worker} gone`)
        resolve()
      })
    })
    const asked = b.request('presence.enter', { room: 'lobby', user: entry.from, sessionId: 'its last stay' })
    asked.catch(() => undefined)
    const ended = b.close()
    relay.removeWorker('w2')
    await gone
    await ended
    expect(told).toEqual(['its last stay', 'w2 gone'])
  })

  it('ends the link of a worker that is reported as exited but still runs', async () => {
    await listen({ drainMs: 1 })
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const gone = new Promise((resolve) => a.onPeerGone(resolve))
    const closed = new Promise<void>((resolve) => b.onClose(resolve))
    relay.removeWorker('w2')
    expect(await gone).toBe('w2')
    await closed
  })
})

describe('the link listener', () => {
  it('refuses a worker without the secret, or with a name that is taken', async () => {
    await listen()
    await enlist('w1')
    const boot = { name: 'w2', linkPath: path, linkSecret: 'another' }
    const knock = (given: typeof boot) => Link.connect({ boot: given, logger, registry: new Registry() })
    await expect(knock(boot)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(knock({ ...boot, name: 'w1', linkSecret: SECRET })).rejects.toMatchObject({
      code: 'unavailable',
    })
    await expect(knock({ ...boot, name: 'no name', linkSecret: SECRET })).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(relay.workers()).toEqual(['w1'])
    expect(await metric('rookery_relay_refused_total')).toBe(3)
  })

  it('closes a connection that sends nothing, or anything but a hello', async () => {
    await listen({ helloTimeoutMs: 20 })
    const silent = connect(path)
    await once(silent, 'close')
    const garbage = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), publication, Buffer.from([0, 0, 0, 1, 99])]
    for (const bytes of garbage) {
      const socket = connect(path)
      socket.write(bytes)
      await once(socket, 'close')
    }
    expect(await metric('rookery_relay_refused_total')).toBe(4)
  })

  it('closes a link at its first malformed frame, and nothing else', async () => {
    await listen()
    const a = await enlist('w1')
    const gone = new Promise((resolve) => a.onPeerGone(resolve))
    const rogue = connect(path)
    rogue.write(helloFrame({ version: LINK_VERSION, name: 'w2', secret: SECRET }))
    await once(rogue, 'data')
    rogue.write(Buffer.from([0, 0, 0, 2, 6, 1]))
    await once(rogue, 'close')
    expect(await gone).toBe('w2')
    expect(relay.workers()).toEqual(['w1'])
    const ended = await registry.getSingleMetric('rookery_relay_links_ended_total')?.get()
    expect(ended?.values).toMatchObject([{ labels: { reason: 'malformed' }, value: 1 }])
  })
})

describe('a worker that does not read', () => {
  it('misses publications, then loses its link; the others continue', async () => {
    await listen({ softBytes: 100_000, hardBytes: 300_000, closeBytes: 600_000 })
    const [a, b] = [await enlist('w1'), await enlist('w2')]
    const gone = new Promise((resolve) => a.onPeerGone(resolve))
    const stuck = connect(path)
    stuck.write(helloFrame({ version: LINK_VERSION, name: 'w3', secret: SECRET }))
    await once(stuck, 'data')
    stuck.pause()
    const atB = inbox(b)
    await b.subscribe('t')
    for (let index = 0; index < 200; index += 1) {
      a.send('w3', Buffer.alloc(50_000))
      a.publish(['t'], Buffer.from(String(index)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await gone).toBe('w3')
    expect(await atB.first(200)).toHaveLength(200)
    expect(await metric('rookery_relay_links_ended_total', { reason: 'overflow' })).toBe(1)
    stuck.destroy()
  })
})

function tell(room: string, change: PresenceChange): void {
  relay.publishEvent(`r:${room}`, { type: 'presence', room, ...change })
}

describe('a worker that reads again', () => {
  it('learns in which rooms it has missed entries or presence changes, without any further message', async () => {
    await listen({ softBytes: 100_000, hardBytes: 300_000, closeBytes: 50_000_000 })
    const frames: PrimaryFrame[] = []
    const stuck = connect(path)
    const reader = new FrameReader(1_000_000)
    stuck.on('data', (chunk) => frames.push(...reader.push(chunk).map(decodePrimaryFrame)))
    stuck.write(helloFrame({ version: LINK_VERSION, name: 'w3', secret: SECRET }))
    await until(() => frames.length === 1, 'the worker is welcomed')
    for (const [ref, room] of ['lobby', 'den', 'attic'].entries())
      stuck.write(subscribeFrame(ref + 1, `r:${room}`, false))
    await until(() => frames.length === 4, 'the subscriptions are confirmed')
    stuck.pause()

    const text = 'x'.repeat(10_000)
    let seq = 0
    const say = async () => {
      seq += 1
      relay.publishEntry('r:lobby', { ...entry, seq, text })
      await new Promise((resolve) => setImmediate(resolve))
    }
    while ((await metric('rookery_relay_dropped_total')) === 0) await say()
    const [ann, bob, cat] = ['ann', 'bob', 'cat'].map((id) => ({ id, name: id }))
    if (ann === undefined || bob === undefined || cat === undefined) throw new Error('three')
    tell('den', { joined: [ann, bob], left: [], count: 2 })
    tell('den', { joined: [cat], left: [{ id: 'ann' }], count: 2 })
    tell('attic', { joined: [ann], left: [], count: 1 })
    stuck.write(unsubscribeFrame('r:attic'))
    await until(
      async () => (await metric('rookery_relay_missed_rooms')) === 2,
      'the worker has left the attic',
    )

    stuck.resume()
    await until(() => frames.some((frame) => frame.kind === 'event'), 'the worker is notified')
    expect(frames.flatMap((frame) => (frame.kind === 'event' ? [frame.value] : []))).toEqual([
      { type: 'behind', room: 'lobby' },
      { type: 'behind', room: 'den', presence: { joined: [bob, cat], left: [{ id: 'ann' }], count: 2 } },
    ])
    expect(await metric('rookery_relay_missed_rooms')).toBe(0)
    const entries = frames.filter(({ kind }) => kind === 'entry').length
    expect(entries).toBeGreaterThan(0)
    expect(entries).toBeLessThan(seq)
    tell('den', { joined: [], left: [{ id: 'bob' }], count: 1 })
    await until(() => frames.filter(({ kind }) => kind === 'event').length === 3, 'the next events arrive')
    expect(frames.at(-1)).toMatchObject({ value: { type: 'presence', room: 'den', count: 1 } })
    stuck.destroy()
  })
})

describe('the bookkeeping', () => {
  it('is empty again when everything has been released', async () => {
    await listen()
    const a = await enlist('w1')
    for (let index = 0; index < 100; index += 1) {
      const confirmed = a.subscribe(`t${index % 10}`)
      a.unsubscribe(`t${index % 10}`)
      await confirmed
    }
    await a.subscribe('fence')
    expect(await metric('rookery_relay_topics')).toBe(1)
    await a.close()
    await until(async () => (await metric('rookery_relay_topics')) === 0, 'the topics are forgotten')
  })
})
