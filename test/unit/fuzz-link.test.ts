/** The primary's end of the link: a peer that violates the protocol is closed, and the workers notice nothing. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LENGTH_BYTES } from '../../src/core/byte-frames.ts'
import { SocketFile } from '../../src/core/socket-file.ts'
import { Relay } from '../../src/primary/relay/relay.ts'
import * as frames from '../../src/wire/frames.ts'
import { workerRequests } from '../../src/wire/requests.ts'
import { Link } from '../../src/worker/link/link.ts'
import { OutcomeCounts } from '../harness/fuzz/outcome-counts.ts'
import { fuzzLive } from '../harness/fuzz/runs.ts'
import { anyJson } from '../harness/fuzz/values.ts'
import { constantHandlers } from '../harness/relay-handlers.ts'

const SECRET = 'a secret of the link'

let directory: string
let path: string
let relay: Relay
let registry: Registry
let worker: Link
let complaints: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-fuzz-'))
  path = join(directory, 'link')
  complaints = []
  registry = new Registry()
  const logger = pino({ level: 'warn' }, { write: (line) => complaints.push(line) })
  const limits = { maxFrameBytes: 10_000, drainMs: 1 }
  relay = await Relay.listen({
    listen: (server) => SocketFile.listen(server, path),
    secret: SECRET,
    handlers: constantHandlers,
    logger,
    registry,
    limits,
  })
  worker = await Link.connect({
    boot: { name: 'w1', linkPath: path, linkSecret: SECRET },
    logger,
    registry: new Registry(),
  })
})

afterEach(async () => {
  await worker.close()
  await relay.close()
  await rm(directory, { recursive: true })
})

/** The well-behaved worker still works, and is the only one. */
async function expectHealthy(): Promise<void> {
  await expect(worker.request('presence.members', { room: 'lobby' })).resolves.toMatchObject({ count: 0 })
  expect(relay.workers()).toEqual(['w1'])
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('w1', '__proto__', 'x'.repeat(2_000)),
)

const wrongHello = fc
  .record({ version: fc.nat(255), name: text, secret: fc.oneof(text, fc.constant(SECRET)) })
  // The rest must be refused: the secret or version is wrong, or the name is invalid or taken.
  .filter(
    ({ version, name, secret }) =>
      secret !== SECRET || version !== frames.LINK_VERSION || !/^[\w-]{1,64}$/.test(name) || name === 'w1',
  )
  .map(frames.helloFrame)

const oversized = fc.integer({ min: 20_000, max: 0xff_ff_ff_ff }).map((length) => {
  const start = Buffer.alloc(100)
  start.writeUInt32BE(length)
  return start
})

function cut(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(whole, fc.nat()).map(([buffer, at]) => buffer.subarray(0, at % buffer.length))
}

/** Changes one byte after the length: the frame keeps its length. */
function spoilt(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(whole, fc.nat(), fc.nat(255)).map(([buffer, at, byte]) => {
    const copy = Buffer.from(buffer)
    copy[LENGTH_BYTES + (at % (copy.length - LENGTH_BYTES))] = byte
    return copy
  })
}

/** Sends the frames and ends; resolves when the connection is closed. */
async function say(socket: Socket, ...said: Buffer[]): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => socket.destroy())
  socket.resume()
  for (const one of said) socket.write(one)
  socket.end()
  await closed
}

it('a connection that sends anything but a valid hello is closed', async () => {
  await fuzzLive(fc.oneof(bytes, wrongHello, cut(wrongHello), oversized), 500, async (said) => {
    await say(connect(path), said)
    expect(relay.workers()).toEqual(['w1'])
  })
  const refusals = await registry.getSingleMetric('rookery_relay_refused_total')?.get()
  const reasons = new OutcomeCounts(
    refusals?.values.map(({ labels, value }) => [String(labels['reason']), value]),
  )
  expect([...reasons.keys()]).toEqual(expect.arrayContaining(['hello', 'secret']))
  await expectHealthy()
})

const topic = fc.oneof(text, fc.constantFrom('t', 'r:lobby'))
const methods = Object.keys(workerRequests)
const validFrame = fc.oneof(
  fc.tuple(fc.nat(), topic, fc.boolean()).map((fields) => frames.subscribeFrame(...fields)),
  topic.map(frames.unsubscribeFrame),
  fc
    .record({
      ref: fc.nat(),
      volatile: fc.boolean(),
      topics: fc.array(topic, { maxLength: 3 }),
      grants: fc.array(topic, { maxLength: 3 }),
      body: bytes,
      rest: fc.oneof(fc.constant(0), fc.nat(400), fc.nat(2 ** 32 - 1)),
    })
    .map(frames.publishFrame),
  bytes.map(frames.partFrame),
  fc.tuple(topic, bytes).map((fields) => frames.sendFrame(...fields)),
  fc
    .tuple(fc.nat(), fc.oneof(fc.constantFrom(...methods), text), anyJson)
    .map(([id, method, params]) => frames.requestFrame(id, method, params)),
  fc.tuple(fc.nat(20), fc.boolean(), anyJson).map((fields) => frames.replyFrame(...fields)),
)
const anyFrame = fc.oneof(
  { weight: 6, arbitrary: validFrame },
  { weight: 2, arbitrary: spoilt(validFrame) },
  { weight: 1, arbitrary: cut(validFrame) },
  { weight: 1, arbitrary: bytes },
  { weight: 1, arbitrary: oversized },
  { weight: 1, arbitrary: wrongHello },
)

it('a worker that sends random frames is closed at the first malformed one, and served until then', async () => {
  let number = 1
  await fuzzLive(fc.array(anyFrame, { maxLength: 8 }), 400, async (said) => {
    number += 1
    const socket = connect(path)
    socket.write(frames.helloFrame({ version: frames.LINK_VERSION, name: `w${number}`, secret: SECRET }))
    await once(socket, 'data')
    const gone = new Promise((resolve) => worker.onPeerGone((peer) => peer === `w${number}` && resolve(peer)))
    await say(socket, ...said)
    await gone
    await expectHealthy()
  })
  const ends = await registry.getSingleMetric('rookery_relay_links_ended_total')?.get()
  const reasons = ends?.values.map(({ labels }) => labels['reason']).toSorted()
  expect(reasons).toEqual(['closed', 'malformed'])
  expect(complaints.filter((line) => !line.includes('malformed'))).toEqual([])
})

/** Publications of random lengths in parts of random lengths, and where the stream of their bytes is cut. */
const publications = fc.record({
  bodies: fc.array(
    fc.record({
      body: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((array) => Buffer.from(array)),
      partBytes: fc.integer({ min: 1, max: 200 }),
      grants: fc.array(topic, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  cutAt: fc.nat(4_000),
})

it('a worker that dies anywhere in its publications has published those that were whole, in order', async () => {
  let number = 1
  const got: string[] = []
  worker.onMessage((body, from) => got.push(`${from} ${body.toString('hex')}`))
  await worker.subscribe('the topic')
  await fuzzLive(publications, 300, async ({ bodies, cutAt }) => {
    number += 1
    const name = `w${number}`
    const socket = connect(path)
    socket.write(frames.helloFrame({ version: frames.LINK_VERSION, name, secret: SECRET }))
    await once(socket, 'data')
    const gone = new Promise((resolve) => worker.onPeerGone((peer) => peer === name && resolve(peer)))
    let end = 0
    const whole: string[] = []
    const stream = bodies.flatMap(({ body, partBytes, grants }) => {
      const publication = { ref: 0, volatile: false, topics: ['the topic'], grants, body }
      const parts = frames.publicationFrames(publication, partBytes)
      end += parts.reduce((sum, { length }) => sum + length, 0)
      if (end <= cutAt) whole.push(`${name} ${body.toString('hex')}`)
      return parts
    })
    got.length = 0
    await say(socket, Buffer.concat(stream).subarray(0, cutAt))
    await gone
    expect(got).toEqual(whole)
    await expectHealthy()
  })
  const topics = await registry.getSingleMetric('rookery_relay_topics')?.get()
  expect(topics?.values[0]?.value).toBe(1)
  expect(complaints).toEqual([])
})
