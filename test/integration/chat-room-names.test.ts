/** Rooms in all scripts, and names in capitals: of the same room, or of a room from before names were folded. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectChat } from '../../src/client/client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { rookery as command } from '../harness/command.ts'
import { until } from '../harness/until.ts'

const API_KEY = 'the key of the API of this test'
/** A log of before, with the room `Den`. */
const EARLIER = [
  { type: 'header', format: 'rookery-log', version: 1, exportedAt: '', cluster: '' },
  { type: 'room', room: 'Den', epoch: 'e', head: 1, first: 1, at: 1, texts: 1, trimmedTexts: 0 },
  {
    type: 'entry',
    seq: 1,
    id: 'm',
    kind: 'text',
    from: { id: 'old', name: 'Old' },
    text: 'of before',
    at: 1,
    texts: 1,
    digest: '',
  },
  { type: 'end', rooms: 1, entries: 1, users: 0 },
]

let rookery: RunningRookery
let directory: string
const { guest, guestElsewhere } = chatClients(() => rookery.url)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-room-names-'))
  const [file, dataDir] = [join(directory, 'rooms.ndjson'), join(directory, 'data')]
  await writeFile(file, EARLIER.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const { code, stderr } = await command(['log', 'import', file, '--data-dir', dataDir])
  expect(code, stderr).toBe(0)
  rookery = await startRookery({ env: { WORKERS: '2', DATA_DIR: dataDir, API_KEY } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
  await rm(directory, { recursive: true })
})

const call = async (room: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' }
  const response = await fetch(`${rookery.url}/api/rooms/${encodeURIComponent(room)}/messages`, {
    ...init,
    headers,
  })
  return (await response.json()) as Record<string, unknown>
}

describe('a room', () => {
  it.each([
    ['Ünï', 'ünï'],
    ['U\u0308ni\u0308', 'ünï'],
    ['РАБОТА', 'работа'],
    ['ΟΔΟΣ', 'οδος'],
    ['会議-1', '会議-1'],
    ['שלום', 'שלום'],
    ['नमस्ते', 'नमस्ते'],
  ])('may be called %s, and is %s for everybody', async (written, name) => {
    const ann = await guest()
    const bob = await guestElsewhere('Bob', ann)
    expect(await ann.ask('room:join', { room: written })).toMatchObject({ room: name })
    expect(await bob.ask('room:join', { room: name })).toMatchObject({ room: name })
    const id = randomUUID()
    await ann.ask('message:send', { room: written, id, text: 'hello' })
    expect(await bob.next('message')).toMatchObject({ room: name, text: 'hello' })
    expect(await bob.ask('room:history', { room: written })).toMatchObject({
      room: name,
      head: expect.any(Number),
    })
    expect(await bob.ask('room:members', { room: written })).toMatchObject({ count: 2 })
    await bob.ask('room:read', { room: written, seq: 1 })
    expect((await bob.ask('rooms', {})).rooms).toContainEqual(
      expect.objectContaining({ room: name, read: 1 }),
    )
    expect(await call(written)).toMatchObject({ ok: true, room: name })
    await ann.ask('room:leave', { room: written })
    expect((await ann.ask('rooms', {})).rooms.map(({ room }) => room)).not.toContain(name)
  })

  it('is the same in capitals, whichever request comes first', async () => {
    const [ann, bob] = [await guest(), await guest('Bob')]
    // At once: what follows the join must not overtake it.
    const joined = ann.ask('room:join', { room: 'More' })
    const sent = ann.ask('message:send', { room: 'More', id: 'm-1', text: 'one' })
    expect(await joined).toMatchObject({ room: 'more' })
    expect(await sent).toMatchObject({ seq: 1 })
    expect(await bob.ask('room:join', { room: 'MORE' })).toMatchObject({ room: 'more', head: 1 })
    await bob.ask('message:send', { room: 'more', id: 'm-2', text: 'two' })
    expect(await ann.next('message', ({ seq }) => seq === 2)).toMatchObject({ room: 'more', text: 'two' })
    const body = JSON.stringify({ id: 'm-3', text: 'three', from: { id: 'x', name: 'X' } })
    expect(await call('mORE', { method: 'POST', body })).toMatchObject({ ok: true, seq: 3 })
  })

  it('of before with messages keeps its capitals', async () => {
    const [ann, bob] = [await guest(), await guest('Bob')]
    expect(await ann.ask('room:join', { room: 'Den' })).toMatchObject({
      room: 'Den',
      messages: [{ room: 'Den', text: 'of before' }],
    })
    await ann.ask('message:send', { room: 'Den', id: 'm-1', text: 'and now' })
    expect(await bob.ask('room:join', { room: 'den' })).toMatchObject({ room: 'den', head: 0 })
    expect(await bob.ask('room:join', { room: 'DEN' })).toMatchObject({ room: 'den', head: 0 })
    expect((await ann.ask('rooms', {})).rooms).toMatchObject([{ room: 'Den', head: 2 }])
  })

  it.each([
    'a b',
    '',
    'DM:a:b',
    'Dm:x',
    '\u0301a',
    'a\u200bb',
    'a\u3164',
    '😀',
    'x'.repeat(65),
    'ü'.repeat(65),
    '\ud800',
  ])('may not be called %j', async (room) => {
    const ann = await guest()
    expect(await ann.refused('room:join', { room })).toMatchObject({ code: 'bad_request' })
  })
})

describe('the client package', () => {
  it('uses the name under which a room was joined, and hears the room under each of its names', async () => {
    const ann = connectChat({ url: rookery.url, auth: { name: 'Ann', key: 'the secret key of Ann' } })
    const bob = await guest('Bob')
    try {
      expect(await ann.roomName('Garden')).toBe('garden')
      expect(await ann.roomName('Den')).toBe('Den')
      const room = ann.join('Garden')
      await room.live()
      await bob.ask('room:join', { room: 'garden' })
      await bob.ask('message:send', { room: 'garden', id: 'm-1', text: 'one' })
      await until(() => room.messages.length === 1, 'the room has the message')
      expect((await ann.rooms()).map((one) => one.room)).toEqual(['Garden'])
      expect((await room.send('two').settled).state).toBe('sent')

      const other = ann.join('garden')
      await other.live()
      await bob.ask('message:send', { room: 'garden', id: 'm-3', text: 'three' })
      for (const one of [room, other]) await until(() => one.messages.length === 3, 'both have all messages')
      await room.leave()
      await bob.ask('message:send', { room: 'garden', id: 'm-4', text: 'four' })
      await until(() => other.messages.length === 4, 'the other is still in the room')
      await other.leave()
      expect(await ann.rooms()).toEqual([])
    } finally {
      await ann.close()
    }
  })
})
