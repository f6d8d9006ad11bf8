import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../src/client/index.ts'
import { bannerOf } from '../../src/web/app/banner-text.ts'
import { avatarContentOf } from '../../src/web/components/initials.ts'
import { unreadMentions } from '../../src/web/conversation/message/mentions.ts'
import { mentions, tokensOf } from '../../src/web/conversation/message/tokens.ts'
import { clientCode, stockCode } from '../../src/web/dialogs/connect-code.ts'
import {
  Identities,
  type Identity,
  type KeyValueStorage,
  newGuest,
  storeOf,
} from '../../src/web/session/identity.ts'
import { KnownPeople } from '../../src/web/session/known-people.ts'
import { refusalOf } from '../../src/web/session/refusal.ts'
import { guestAuth, userName } from '../../src/wire/chat.ts'

function memoryStorage(): KeyValueStorage & { readonly values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  }
}

let drawn = 0
/** Different bytes at each call. */
const bytes = (count: number) => new Uint8Array(count).map(() => (drawn += 1) % 256)
const ann = newGuest(' Ann ', bytes)
const holder: Identity = {
  kind: 'token',
  token: `e30.${Buffer.from('{"sub":"ann/ü"}').toString('base64url')}.x`,
}

const refused = (code: 'bad_request' | 'unauthenticated' | 'forbidden', message: string) => ({
  code,
  message,
})
const offlineText = (waiting: number) => bannerOf({ state: 'offline', waiting }, true)?.text
const author = (id: string) => ({ id, name: id })
const initials = (name: string) => avatarContentOf({ id: 'x', name }).initials
const hue = (id: string) => avatarContentOf({ id, name: 'x' }).hue

describe("a user's identity", () => {
  it('is accepted by the server, and has its own secret', () => {
    expect(guestAuth.parse(ann)).toMatchObject({ name: 'Ann' })
    const bob = newGuest('Bob', bytes)
    expect(bob.key).not.toBe(ann.key)
    expect(storeOf(bob)).not.toBe(storeOf(ann))
    expect(ann.key).toHaveLength(48)
    expect(ann.key).not.toContain(ann.store)
  })

  it('is the same after a reload, with everything known about it', () => {
    const identities = new Identities({ guests: memoryStorage(), tokens: memoryStorage() })
    expect(identities.load()).toBeUndefined()
    identities.keep({ ...ann, id: 'g_1' })
    expect(identities.load()).toEqual({ ...ann, id: 'g_1' })
  })

  it('is forgotten without a trace', () => {
    const [guests, tokens] = [memoryStorage(), memoryStorage()]
    const identities = new Identities({ guests, tokens })
    identities.keep(ann)
    identities.keep(holder)
    expect(identities.load()).toEqual(holder)
    identities.forget('token')
    expect(identities.load()).toEqual(ann)
    identities.forget('guest')
    expect([...guests.values, ...tokens.values]).toEqual([])
  })

  it('is undefined when the storage holds something else', () => {
    for (const rubbish of [
      '',
      '{',
      'null',
      '7',
      '[]',
      '{"name":"Ann"}',
      '{"name":1,"key":"k","store":"s"}',
    ]) {
      const guests = memoryStorage()
      guests.setItem('rookery:guest', rubbish)
      expect(new Identities({ guests, tokens: memoryStorage() }).load(), rubbish).toBeUndefined()
    }
  })

  it('stores the pending sends of a token by its user, if the user can be read from the token', () => {
    expect(storeOf(holder)).toContain('token-ann/')
    const others = ['', 'a', 'a.b.c', 'a.bnVsbA.c', 'a.e30.c']
    for (const token of others) expect(storeOf({ kind: 'token', token }), token).toBe('token-unknown')
  })
})

describe('a refusal', () => {
  it('of a guest by a server with tokens asks for a token', () => {
    const missing = refused('unauthenticated', 'this server wants a token')
    expect(refusalOf(missing, ann).remedy).toBe('token')
  })

  it('of a name asks for another, and explains what is wrong with it', () => {
    const refusal = refusalOf(refused('bad_request', 'name: a name has at most 64 characters'), ann)
    expect(refusal.remedy).toBe('name')
    expect(refusal.text).toBe('Name: a name has at most 64 characters.')
  })

  it('of a token asks for a new one, or for a name if no token is wanted', () => {
    expect(refusalOf(refused('unauthenticated', 'the token has expired'), holder)).toMatchObject({
      remedy: 'token',
      text: 'The token has expired. Get a new one and sign in again.',
    })
    expect(refusalOf(refused('bad_request', 'name: expected string'), holder).remedy).toBe('name')
  })

  it('for any other reason only offers a retry', () => {
    for (const identity of [ann, holder]) {
      expect(refusalOf(refused('forbidden', 'not today!'), identity)).toMatchObject({
        remedy: 'retry',
        text: 'Not today!',
      })
    }
  })
})

describe('the banner', () => {
  it('is hidden while all is well, and at first', () => {
    for (const isLate of [false, true])
      expect(bannerOf({ state: 'online', waiting: 3 }, isLate)).toBeUndefined()
    expect(bannerOf({ state: 'connecting', waiting: 0 }, false)).toBeUndefined()
    expect(bannerOf({ state: 'offline', waiting: 1 }, false)).toBeUndefined()
  })

  it('shows how many messages wait', () => {
    expect(offlineText(0)).toBe('You are offline.')
    expect(offlineText(1)).toBe('You are offline. 1 unsent message will be sent when you are back online.')
    expect(offlineText(7)).toBe('You are offline. 7 unsent messages will be sent when you are back online.')
  })

  it('shows at once why nothing can be stored', () => {
    const degraded = { state: 'degraded', waiting: 0, reason: 'disk full' } as const
    expect(bannerOf(degraded, false)?.text).toContain('(disk full)')
  })
})

const mentionsAda = (text: string) => mentions(text, 'Ada L.')

describe('a mention', () => {
  it('is the whole name after an @, in any case and context', () => {
    for (const text of ['@Ada L.', 'well, @ADA L.!', '(@ada l.)', 'so\n@Ada L. said', 'a/@Ada L.']) {
      expect(mentionsAda(text), text).toBe(true)
    }
    for (const text of [
      'Ada L.',
      'x@Ada L.',
      '@@Ada L.',
      '@Ada Lx',
      '@Ada',
      '@Ada L.x',
      '@Ada L.\u0301',
      '',
    ]) {
      expect(mentionsAda(text), text).toBe(false)
    }
    expect(mentions('@Jonas', 'Jo')).toBe(false)
    expect(mentions('@由紀 ?', '由紀')).toBe(true)
    expect(mentions('@ ', ' ')).toBe(false)
    expect(mentions('Salut @jean-luc !', 'Jean-Luc')).toBe(true)
  })

  it('is the same name, however its accents are encoded', () => {
    for (const [name, text] of [
      ['José', '@José!'.normalize('NFD')],
      ['José'.normalize('NFD'), '@José!'.normalize('NFC')],
      ['Zoë', '@ZOË'.normalize('NFD')],
      ['한글', '@한글'.normalize('NFD')],
    ] as const) {
      expect(mentions(text, name), name).toBe(true)
    }
    expect(mentions('@José'.normalize('NFD'), 'Jose')).toBe(false)
    expect(mentions('@Jose', 'José')).toBe(false)
  })

  it('is not recognized in code and links, but a name may look like either', () => {
    for (const text of ['`@ann`', '```\n@ann\n```', 'https://a.example/@ann/x', 'see mailto:b@ann'])
      expect(mentions(text, 'ann'), text).toBe(false)
    expect(mentions('hi @ann@a.example', 'ann@a.example')).toBe(true)
    expect(mentions('hi @https://a.example', 'https://a.example')).toBe(true)
    expect(mentions('hi @`ann`', '`ann`')).toBe(true)
  })

  it('is found for every name that the server accepts', () => {
    const signs = fc.constantFrom(...'-.*+?^${}()|[]\\/`@#_~&!:<>\'" '.split(''))
    const unit = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }), signs)
    const names = fc
      .array(unit, { minLength: 1, maxLength: 24 })
      .map((units) => userName.safeParse(units.join('')))
      .filter(({ success }) => success)
      .map(({ data = '' }) => data)
    fc.assert(
      fc.property(names, (name) => {
        const text = `hey @${name}, hi`
        const parts = tokensOf(text, name).map((token) => token.text)
        expect(parts.join('')).toBe(text)
        expect(parts).toContain(`@${name}`)
        expect(mentions(text, name)).toBe(true)
        expect(mentions(`@${name}`, name)).toBe(true)
        expect(mentions(`hey @${name}x`, name)).toBe(false)
      }),
      { numRuns: 40 },
    )
  })

  it('counts if it is unread, by somebody else, and not removed', () => {
    const base = { id: 'x', at: 0, edited: false, removed: false, state: 'sent' } as const
    const messages: ChatMessage[] = [
      { ...base, seq: 1, from: author('bob'), text: '@Ada L. read' },
      { ...base, seq: 2, from: author('bob'), text: '@Ada L. one' },
      { ...base, seq: 3, from: author('ada'), text: '@Ada L. own' },
      { ...base, seq: 4, from: author('bob'), removed: true },
      { ...base, seq: 5, from: author('bob'), text: 'nothing' },
      { ...base, seq: 6, from: author('bob'), text: '@ada l. two' },
      { ...base, from: author('ada'), text: '@Ada L. waits', state: 'pending' },
    ]
    const user = { userId: 'ada', readUpTo: 1, mentionsUser: mentionsAda }
    expect(unreadMentions(messages, user)).toBe(2)
    expect(unreadMentions(messages, { ...user, readUpTo: 6 })).toBe(0)
    expect(unreadMentions([], user)).toBe(0)
  })
})

describe('an avatar', () => {
  it('has the initials of the first and the last word, one character each, however it is encoded', () => {
    expect(initials('ada lovelace')).toBe('AL')
    expect(initials('Ada King Lovelace')).toBe('AL')
    expect(initials('bob')).toBe('B')
    expect(initials('由紀')).toBe('由')
    expect(initials('👩‍🚀 pilot')).toBe('👩‍🚀P')
    expect(initials('...')).toBe('?')
    expect(initials('عمر خليل')).toBe('ع\u200cخ')
  })

  it('has a hue that depends only on the id, spread over the circle', () => {
    expect(avatarContentOf({ id: 'ann', name: 'A' }).hue).toBe(avatarContentOf({ id: 'ann', name: 'B' }).hue)
    const hues = new Set(Array.from({ length: 500 }, (_, at) => hue(`g_${at}`)))
    expect(hues.size).toBe(14)
    for (const one of hues) expect(one >= 0 && one < 360).toBe(true)
  })
})

describe('known users', () => {
  it('keep their latest name after a reload', () => {
    const storage = memoryStorage()
    const people = new KnownPeople(storage)
    expect(people.remember({ id: 'b', name: 'Bob' })).toBe(true)
    expect(people.remember({ id: 'b', name: 'Bob' })).toBe(false)
    expect(people.remember({ id: 'b', name: 'Robert' })).toBe(true)
    people.save()
    expect(new KnownPeople(storage).nameOf('b')).toBe('Robert')
  })

  it('are at most 500, the newest', () => {
    const people = new KnownPeople(memoryStorage())
    for (let at = 0; at <= 500; at += 1) people.remember({ id: `${at}`, name: `n${at}` })
    expect(people.nameOf('0')).toBeUndefined()
    expect(people.nameOf('1')).toBe('n1')
    expect(people.nameOf('500')).toBe('n500')
  })

  it('are empty when the storage holds something else', () => {
    for (const rubbish of ['{', '{}', '[1,["a"],["b","Bob"]]']) {
      const storage = memoryStorage()
      storage.setItem('rookery:people', rubbish)
      expect(new KnownPeople(storage).nameOf('a')).toBeUndefined()
    }
  })
})

describe('programs that connect', () => {
  it('print where to connect, as which user and to which room', () => {
    for (const code of [clientCode, stockCode]) {
      const base = new URL('http://chat.example/')
      const text = code({ base, room: 'den', withToken: false })
      expect(text).toContain("'http://chat.example'")
      expect(text).not.toContain('path:')
      expect(text).toContain("'den'")
      expect(text).toContain('name:')
      expect(code({ base, room: 'den', withToken: true })).toContain('token:')
    }
  })

  it('print the namespace and the path of a chat that an application has mounted', () => {
    const base = new URL('http://chat.example/talk/')
    const place = { namespace: '/guests', socket: { path: '/live' } }
    const [client, stock] = [clientCode, stockCode].map((code) =>
      code({ base, room: 'den', withToken: false, place }),
    )
    expect(client).toContain(
      "url: 'http://chat.example',\n  namespace: '/guests',\n  socket: { path: '/live' },",
    )
    expect(stock).toContain("io('http://chat.example/guests', { path: '/live', ")
  })
})
