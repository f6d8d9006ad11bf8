import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AFTER_ROOM_NAMES } from '../../src/log/environment.ts'
import { charsIn, chatRequests, chatRoom, text, userName } from '../../src/wire/chat.ts'
import { directRoom, directUsers } from '../../src/wire/chat-direct.ts'
import { messageDraft, roomName } from '../../src/wire/entry.ts'
import { foldedRoom } from '../../src/wire/room-names.ts'

const directId = fc.stringMatching(/^[A-Za-z0-9_-]{1,28}$/)

describe('direct rooms', () => {
  it('have one name for both users, which contains both ids', () => {
    fc.assert(
      fc.property(directId, directId, (one, other) => {
        const room = directRoom(one, other)
        expect(room).toBe(directRoom(other, one))
        expect(new Set(directUsers(room ?? ''))).toEqual(new Set([one, other]))
        expect(chatRequests['room:members'].safeParse({ room }).success).toBe(true)
      }),
    )
  })

  it('can be had by users of any id, under one name each', () => {
    const anyId = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }),
      fc.stringMatching(/^[A-Za-z0-9_-]{1,255}$/),
      fc.constantFrom(
        'auth0|65f0c1',
        'ada@example.org',
        'b1946ac9-2d3c-4a51-8e0f-1c2d3e4f5a6b',
        '.ZQ',
        'a:b',
      ),
      fc.constantFrom('é'.repeat(127), '☃'.repeat(85), 'x'.repeat(255)),
    )
    const names = new Map<string, string>()
    fc.assert(
      fc.property(anyId, anyId, (one, other) => {
        const room = directRoom(one, other) ?? ''
        expect(room).toBe(directRoom(other, one))
        expect(directUsers(room)?.toSorted()).toEqual([one, other].toSorted())
        expect(chatRequests['room:join'].safeParse({ room }).success).toBe(true)
        expect(chatRequests['dm:open'].safeParse({ user: one }).success).toBe(
          !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(one),
        )
        const pair = JSON.stringify([one, other].toSorted())
        expect(names.get(room) ?? pair).toBe(pair)
        names.set(room, pair)
      }),
    )
  })

  it.each([
    'dm:',
    'dm:a',
    'dm:b:a',
    'dm:a:b:c',
    'dm:a:',
    'dm:.:b',
    // Other ways to write the ids `a`, `é` and half a character.
    'dm:.YQ:b',
    'dm:.w6l:b',
    'dm:.w6k=:b',
    'dm:.ww:b',
    `dm:a:${'b'.repeat(256)}`,
    `dm:a:${'b'.repeat(100_000)}`,
  ])('refuse the name %s', (room) => {
    expect(directUsers(room)).toBeUndefined()
    expect(chatRequests['room:join'].safeParse({ room }).success).toBe(false)
  })

  it('can’t be created from ids that don’t fit', () => {
    for (const id of ['', 'a'.repeat(256), '☃'.repeat(86), '\ud800']) {
      expect(directRoom(id, 'b')).toBeUndefined()
    }
  })
})

/** Whose forms, cases and neighbours matter. */
const ODD_LETTERS = Array.from('AaÜßΣςİЖ会ñ\u0301\u200c\u3164مक\u094d-')

describe('the names of rooms', () => {
  it('are folded once and for all, and accepted inside of the cluster as they are then', () => {
    const anyName = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 70 }),
      fc.array(fc.constantFrom(...ODD_LETTERS), { maxLength: 66 }).map((letters) => letters.join('')),
    )
    fc.assert(
      fc.property(anyName, (written) => {
        const folded = foldedRoom(written)
        expect(foldedRoom(folded)).toBe(folded)
        expect(foldedRoom(written.normalize('NFD'))).toBe(folded)
        const asked = chatRoom.safeParse(written)
        if (!asked.success) return
        expect([written, folded]).toContain(asked.data)
        expect(roomName.parse(asked.data)).toBe(asked.data)
        if (/[^ -~]/.test(written)) expect(asked.data).toBe(folded)
      }),
    )
  })

  it('sort before the end of the range that is read of a user', () => {
    const highest = Array.from('zя会\u{1f1e6}\u{2fa1d}\u{3134a}').toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    expect(Buffer.compare(Buffer.from(highest.at(-1) ?? ''), Buffer.from(AFTER_ROOM_NAMES))).toBe(-1)
  })
})

describe('texts', () => {
  it('are kept unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        expect(text.parse(value)).toBe(value)
      }),
    )
  })

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('contain no half of a surrogate pair', (value) => {
    expect(text.safeParse(value).success).toBe(false)
  })

  it('are counted in code points', () => {
    expect(charsIn('a😀é')).toBe(3)
    expect(charsIn('👩‍👩‍👧')).toBe(5)
    expect(charsIn('')).toBe(0)
  })

  it('are never empty', () => {
    expect(text.safeParse('').success).toBe(false)
  })
})

describe('names', () => {
  it('are trimmed', () => {
    expect(userName.parse('  Ada Lovelace \t')).toBe('Ada Lovelace')
  })

  it('have one spelling for what looks the same', () => {
    expect(userName.parse('Re\u0301my\u2003de \u00a0 Gourmont\ufeff')).toBe('Rémy de Gourmont')
  })

  it.each([
    ['a zero-width space', '\u200b'],
    ['a filler', '\u3164'],
    ['a blank braille pattern', '\u2800'],
    ['an invisible tail', 'Ada\u200b'],
    ['a joiner between Latin letters', 'A\u200dda'],
    ['a word joiner', 'Ada\u2060'],
    ['a soft hyphen', 'A\u00adda'],
    ['a tag', 'Ada\u{e0041}'],
    ['a variation selector', 'Ada\ufe0f'],
    ['a change of direction', 'Ada\u202egnp'],
    ['a direction mark', 'Ada\u200f'],
    ['an isolate', '\u2066Ada\u2069'],
    ['a mark without a letter', '\u0301\u0301'],
    ['a private character', '\ue000'],
    ['a pile of marks', `A${'\u0335'.repeat(5)}`],
  ])('refuse %s', (_what, value) => {
    expect(userName.safeParse(value).success).toBe(false)
  })

  it.each([
    'Ada',
    'Ünï O’Neill-Łuk',
    '田中 太郎',
    '葛\u{e0100}城',
    'محمد',
    'علی\u200cرضا',
    'नमस्ते',
    'क्\u200dष',
    'שָׁלוֹם',
    'Nguyễn Thị',
    '👩\u200d👩\u200d👧',
    '❤\ufe0f Ann',
    '👍🏽',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    '#\ufe0f\u20e31',
    ':-)',
  ])('are accepted in every script: %s', (value) => {
    expect(userName.parse(value)).toBe(value)
  })

  it.each(['', '   ', 'a\nb', 'a\u0000', 'a\u2028b', '\ud83d', 'x'.repeat(65)])('refuse %j', (value) => {
    expect(userName.safeParse(value).success).toBe(false)
  })
})

describe('requests', () => {
  it('have defaults for optional fields', () => {
    expect(chatRequests['room:join'].parse({ room: 'lobby' })).toEqual({ room: 'lobby', limit: 50 })
    expect(chatRequests['room:history'].parse({ room: 'lobby', before: 9, limit: 200 })).toEqual({
      room: 'lobby',
      before: 9,
      limit: 200,
    })
  })

  it('ignore unknown keys', () => {
    expect(chatRequests['room:leave'].parse({ room: 'lobby', colour: 'red' })).toEqual({ room: 'lobby' })
  })

  it.each([
    ['room:join', { room: 'lobby', limit: 201 }],
    ['room:join', { room: 'lobby', limit: 0 }],
    ['room:join', { room: 'lobby', after: -1 }],
    ['room:join', { room: 'lobby', after: 1.5 }],
    ['room:join', { room: 'lobby', after: '1' }],
    ['room:join', { room: 'a/b' }],
    ['room:join', { room: '' }],
    ['room:join', { room: 'x'.repeat(65) }],
    ['room:history', { room: 'lobby', before: 3, after: 1 }],
    ['message:send', { room: 'lobby', id: 'a b', text: 'x' }],
    ['message:send', { room: 'lobby', id: '', text: 'x' }],
    ['message:send', { room: 'lobby', id: 'a', text: 1 }],
    ['message:edit', { room: 'lobby', id: 'a', target: 0, text: 'x' }],
    ['message:remove', { room: 'lobby', id: 'a' }],
    ['room:read', { room: 'lobby', seq: Number.NaN }],
    ['typing', { room: 'lobby', typing: 'yes' }],
    ['rooms', null],
    ['rooms', []],
  ] as const)('refuse %s %j', (event, payload) => {
    expect(chatRequests[event].safeParse(payload).success).toBe(false)
  })

  it('accept any value without throwing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(chatRequests)), fc.anything(), (schema, value) => {
        expect(() => schema.safeParse(value)).not.toThrow()
      }),
    )
  })

  it('make drafts that the log accepts', () => {
    const asked = { room: 'lobby', id: 'm-1', text: 'hello' }
    const { id, text: said } = chatRequests['message:send'].parse(asked)
    const from = { id: 'u', name: 'U' }
    expect(messageDraft.safeParse({ kind: 'text', id, from, text: said }).success).toBe(true)
  })
})
