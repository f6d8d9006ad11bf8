/** Entries of an application's own kinds: what can be one, and how it is stored. */
import { describe, expect, it } from 'vitest'
import { history } from '../../src/chat/rooms/pages.ts'
import { digestOf } from '../../src/log/digest.ts'
import { EntryCodec } from '../../src/log/redis/stored-entry.ts'
import { logEntry, messageDraft } from '../../src/wire/entry.ts'
import { DATA_MAX_BYTES, DATA_MAX_DEPTH } from '../../src/wire/entry-data.ts'
import { draftOf } from '../../src/worker/rooms/own-entries.ts'

const from = { id: 'ann', name: 'Ann' }
function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}
const refusal = (entry: Parameters<typeof draftOf>[0]): unknown => {
  try {
    return draftOf(entry)
  } catch (error) {
    return error
  }
}
const refused = (code: string) => expect.objectContaining({ name: 'RookeryError', code })

describe('an entry of an own kind', () => {
  it('has the data that JSON makes of it, and an id', () => {
    const at = new Date(0)
    const draft = draftOf({
      kind: 'doc:stroke.2',
      from,
      data: { at, none: undefined, points: [1, Number.NaN] },
    })
    expect(draft).toEqual({
      kind: 'doc:stroke.2',
      from,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      data: { at: at.toJSON(), points: [1, null] },
    })
    expect(draftOf({ kind: 'cleared', from, id: 'c-1' })).toEqual({ kind: 'cleared', from, id: 'c-1' })
    expect(draftOf({ kind: 'k', from, id: 'k', data: null })).toEqual({
      kind: 'k',
      from,
      id: 'k',
      data: null,
    })
  })

  it('is refused with a kind of the chat, or with what is no name', () => {
    for (const kind of [
      'text',
      'edit',
      'remove',
      'unreadable',
      'reaction',
      'pin',
      '',
      '1',
      'a b',
      'k'.repeat(33),
    ])
      expect(refusal({ kind, from, id: 'm1', data: 1 })).toEqual(refused('bad_request'))
    expect(refusal({ kind: 'k'.repeat(32), from, id: 'm1' })).toMatchObject({ id: 'm1' })
    expect(refusal({ kind: 'k', from, id: 'a b' })).toEqual(refused('bad_request'))
    expect(refusal({ kind: 'k', from: { id: '', name: 'x' }, id: 'm1' })).toEqual(refused('bad_request'))
  })

  it('is refused with data that is no JSON, too deep or too long', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    for (const data of [circle, 1n, () => 1, Symbol('s'), nested(DATA_MAX_DEPTH + 1), nested(100_000)])
      expect(refusal({ kind: 'k', from, data })).toEqual(refused('bad_request'))
    expect(refusal({ kind: 'k', from, data: 'x'.repeat(DATA_MAX_BYTES - 1) })).toEqual(refused('too_large'))
    expect(refusal({ kind: 'k', from, data: 'ü'.repeat(DATA_MAX_BYTES / 2) })).toEqual(refused('too_large'))
    for (const data of [nested(DATA_MAX_DEPTH), 'x'.repeat(DATA_MAX_BYTES - 2)])
      expect(draftOf({ kind: 'k', from, data })).toMatchObject({ data })
  })

  it('is checked again where it arrives', () => {
    const draft = { kind: 'k', id: 'm1', from, data: 1 }
    expect(messageDraft.parse(draft)).toEqual(draft)
    const wrong = [
      { ...draft, data: nested(DATA_MAX_DEPTH + 1) },
      { ...draft, data: 'x'.repeat(DATA_MAX_BYTES) },
      { ...draft, kind: 'pin' },
      { ...draft, kind: 'text' },
      { ...draft, text: 'x' },
    ]
    for (const one of wrong) expect(messageDraft.safeParse(one).success).toBe(false)
    const entry = { room: 'den', seq: 1, at: 1, ...draft }
    expect(logEntry.parse(entry)).toEqual(entry)
    expect(logEntry.safeParse({ ...entry, data: nested(DATA_MAX_DEPTH + 1) }).success).toBe(false)
  })
})

describe('entries of the chat', () => {
  const codec = new EntryCodec(undefined, (room) => room)

  it('have the digests of before', () => {
    expect(digestOf({ kind: 'text', text: 'hello' })).toBe('Nq0jHzYykgm24vpX3vD7In')
    expect(digestOf({ kind: 'edit', target: 3, text: 'hello' })).toBe('sDnabMOXq-IXXydxRDyk0w')
    expect(digestOf({ kind: 'remove', target: 3 })).toBe('IhKkv2tAo3S-e8XHkwmELK')
  })

  it('are stored in Redis as before, and those of own kinds with their data in a string', () => {
    expect(codec.encode('den', { kind: 'text', id: 'm1', from, text: 'hello' })).toMatchObject({
      body: '"id":"m1","kind":"text","from":{"id":"ann","name":"Ann"},"hash":"Nq0jHzYykgm24vpX3vD7In"',
      text: '"hello"',
      data: '',
    })
    const own = codec.encode('den', { kind: 'stroke', id: 'm1', from, data: { text: 'x' } })
    expect(own).toMatchObject({ text: '', data: '"{\\"text\\":\\"x\\"}"' })
    const value = Buffer.from(`{"seq":1,"at":1,${own.body},"n":0,"data":${own.data}}`)
    expect(codec.decodeStored('den', 1, value)).toMatchObject({ kind: 'stroke', data: { text: 'x' } })
    for (const data of ['{"x":1}', '"no json"', JSON.stringify('['.repeat(100) + ']'.repeat(100))]) {
      const damaged = Buffer.from(`{"seq":1,"at":1,${own.body},"n":0,"data":${data}}`)
      expect(codec.decodeStored('den', 1, damaged)).toBe('malformed')
    }
  })
})

it('a page of long data has fewer entries', async () => {
  const data = '\\'.repeat(30_000)
  const entries = Array.from({ length: 40 }, (_, n) => ({
    room: 'den',
    seq: n + 1,
    id: `m${n}`,
    kind: 'k',
    from,
    at: 1,
    data,
  }))
  const read = async () => ({ epoch: 'e', head: 40, first: 1, entries, more: false })
  const page = await history({ read }, 'den', { after: 0, limit: 200 })
  expect(page).toMatchObject({ more: true, head: 40 })
  expect(page.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 17 }, (_, n) => n + 1))
})
