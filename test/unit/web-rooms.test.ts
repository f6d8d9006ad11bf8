import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { personNameProblem, roomNameOf, roomNameProblem } from '../../src/web/app/name-rules.ts'
import { countText, pageTitle } from '../../src/web/app/page-title.ts'
import { hashOfRoom, roomOfHash, tokenOfHash } from '../../src/web/app/route.ts'
import { loadSkeleton, skeleton } from '../../src/web/conversation/look-alikes.ts'
import { shortIds, toldApart } from '../../src/web/conversation/same-names.ts'
import { membersShown, sortedMembers } from '../../src/web/room/member-order.ts'
import { roomTitle } from '../../src/web/room/room-title.ts'
import { peopleFound } from '../../src/web/sidebar/people-search.ts'
import {
  itemsFound,
  offerFor,
  type RoomListItem,
  roomAlike,
  roomsToJoin,
  unreadTotal,
} from '../../src/web/sidebar/room-list-model.ts'
import { chatRoom, userName } from '../../src/wire/chat.ts'

const item = (room: string, more: Partial<RoomListItem> = {}): RoomListItem => ({
  room,
  title: room,
  present: false,
  unread: 0,
  mentions: 0,
  lastAt: 0,
  ...more,
})
const person = (id: string, name: string, more: Partial<RoomListItem> = {}) =>
  item(`dm:a:${id}`, { title: name, other: { id, name }, ...more })
const titles = (items: readonly RoomListItem[]) => items.map(({ title }) => title)

describe('addresses', () => {
  it('lead back to the room that they were made for', () => {
    const room = fc.stringMatching(/^[a-zA-Z0-9._:ü会م-]{1,64}$/u)
    fc.assert(fc.property(room, (name) => roomOfHash(hashOfRoom(name)) === name))
  })

  it('are readable, also those of direct messages', () => {
    expect(hashOfRoom('dm:ann:bob')).toBe('#/room/dm:ann:bob')
    expect(hashOfRoom('v1.0_a-b')).toBe('#/room/v1.0_a-b')
  })

  it('open nothing when they name nothing or are broken', () => {
    for (const hash of ['', '#', '#/', '#/room/', '#/rooms/a', '#/room/%']) {
      expect(roomOfHash(hash), hash).toBeUndefined()
    }
  })

  it('give the token that they contain, and no other', () => {
    expect(tokenOfHash('#token=a.b-c_d')).toBe('a.b-c_d')
    expect(tokenOfHash('#token=a%2Eb&x=1')).toBe('a.b')
    expect(tokenOfHash('#/room/token=a')).toBeUndefined()
    expect(tokenOfHash('#token=')).toBeUndefined()
  })
})

/** Whose forms, cases and neighbours matter. */
const ODD_LETTERS = Array.from('AaÜßΣςİЖ会ñ\u0301\u200c\u3164مक\u094d-')

describe('the names of rooms', () => {
  it('are refused if and only if the server refuses them as public rooms', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 70 }),
      fc.stringMatching(/^[a-zA-Z0-9._:-]{0,66}$/),
      fc.array(fc.constantFrom(...ODD_LETTERS), { maxLength: 66 }).map((letters) => letters.join('')),
    )
    fc.assert(
      fc.property(names, (name) => {
        const isTaken = chatRoom.safeParse(name).success && !/^dm:/i.test(name)
        expect(roomNameProblem(name) === undefined).toBe(isTaken)
      }),
    )
  })

  it('are refused with a text that names the wrong character, also one of two code units', () => {
    expect(roomNameProblem('spä%ti')).toContain('“%”')
    expect(roomNameProblem('a😀')).toContain('“😀”')
  })

  it('are accepted in the ways that people write them', () => {
    expect(roomNameOf('  #garden plans ')).toBe('garden-plans')
    expect(roomNameOf('##x')).toBe('x')
    expect(roomNameOf('#Garden Plans')).toBe('garden-plans')
    expect(roomNameOf('#U\u0308ni\u0308 РАБОТА')).toBe('ünï-работа')
  })
})

describe('the names of people', () => {
  it('are refused if and only if the server refuses them', () => {
    const names = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 70 }),
      fc.constantFrom('a\u0000', '\u2028x', '\u200b', '\u3164', 'Ada\u202e', ' Re\u0301my '),
    )
    fc.assert(
      fc.property(names, (name) => {
        expect(personNameProblem(name) === undefined).toBe(userName.safeParse(name).success)
      }),
    )
  })
})

describe('the list of rooms', () => {
  it('is searched without regard to case, accents and leading signs; matches at the start come first', () => {
    const items = [item('my-cafe'), item('cafe'), person('r', 'René Café'), item('other')]
    expect(titles(itemsFound(items, '#CAFÉ'))).toEqual(['cafe', 'my-cafe', 'René Café'])
    expect(titles(itemsFound(items, '@rene'))).toEqual(['René Café'])
    expect(titles(itemsFound(items, 'rené c'))).toEqual(['René Café'])
    expect(itemsFound(items, '  ')).toEqual(items)
  })

  it('offers to open unlisted rooms, and explains why a name is not allowed', () => {
    const items = [item('cafe')]
    expect(offerFor(items, 'cafe')).toBeUndefined()
    expect(offerFor(items, '')).toBeUndefined()
    expect(offerFor(items, '@ann')).toBeUndefined()
    expect(offerFor(items, '#new room')).toEqual({ kind: 'open', room: 'new-room' })
    expect(offerFor(items, 'café')).toEqual({ kind: 'open', room: 'café' })
    expect(offerFor(items, 'ca%fe')).toMatchObject({ kind: 'problem' })
    expect(offerFor(items, '#CAFE')).toBeUndefined()
    expect(offerFor([item('Den')], '#den')).toBeUndefined()
    expect(offerFor(items, 'abcdef', 5)).toMatchObject({ kind: 'problem' })
    expect(offerFor(items, 'dm:a:b')).toMatchObject({ kind: 'problem' })
  })

  it('names the room in it that a new one looks like', async () => {
    await loadSkeleton()
    const items = [item('more'), person('b', 'm\u043ere')]
    expect(roomAlike(items, 'm\u043ere', skeleton.value)).toBe('more')
    expect(roomAlike(items, 'm\u043ere', undefined)).toBeUndefined()
    for (const room of ['more', 'mores', 'möre'])
      expect(roomAlike(items, room, skeleton.value)).toBeUndefined()
  })

  it('joins a limited number, unread rooms first', () => {
    const summaries = ['a', 'b', 'c', 'd'].map((room, at) => ({ room, unread: at % 2 }))
    expect(roomsToJoin(summaries, 3)).toEqual(['b', 'd', 'a'])
    expect(roomsToJoin(summaries, 0)).toEqual([])
    expect(roomsToJoin(summaries, -5)).toEqual([])
  })

  it('counts unread messages for the title', () => {
    expect(unreadTotal([item('a', { unread: 2 }), item('b'), item('c', { unread: 1 })])).toBe(3)
    expect(pageTitle(3, '#lobby')).toBe('(3) #lobby · Rookery')
    expect(pageTitle(0, undefined)).toBe('Rookery')
    expect(pageTitle(100, undefined)).toBe('(99+) Rookery')
    expect(countText(99)).toBe('99')
  })

  it('shows rooms and people by their usual names', () => {
    const items = [person('b', 'Bob')]
    expect(roomTitle(items, 'lobby')).toBe('#lobby')
    expect(roomTitle(items, 'dm:a:b')).toBe('Bob')
    expect(roomTitle(items, 'dm:a:z')).toBe('Direct message')
  })
})

/** What is shown of these ids for people of one name. */
function idsOf(ids: string[]): string[] {
  return [...shortIds(ids.map((id) => ({ id, name: 'Ada' }))).values()]
}

describe('people', () => {
  it('are found by the beginning of their names, then of any word, then by any part; each once', () => {
    const people = ['Bob Ada', 'ada', 'Canada', 'René Ada'].map((name) => ({ id: name, name }))
    expect(peopleFound([...people, ...people], '@ADA', 9).map(({ name }) => name)).toEqual([
      'ada',
      'Bob Ada',
      'René Ada',
      'Canada',
    ])
    expect(peopleFound(people, 'rene', 9).map(({ name }) => name)).toEqual(['René Ada'])
    expect(peopleFound(people, '', 2)).toHaveLength(2)
  })

  it('with the same name are told apart by their ids', () => {
    const people = [
      { id: 'a-0001', name: 'Eve' },
      { id: 'b-0002', name: ' eve' },
      { id: 'c-0003', name: 'Bob' },
      { id: 'c-0003', name: 'Bob' },
    ]
    expect([...shortIds(people)]).toEqual([
      ['a-0001', '0001'],
      ['b-0002', '0002'],
    ])
    expect(toldApart(people.slice(1, 3), shortIds(people)).map(({ name }) => name)).toEqual([
      ' eve 0002',
      'Bob',
    ])
  })

  it('with the same name are told apart by as much of their ids as that takes', () => {
    expect(idsOf(['g_x1abcd', 'g_y2abcd'])).toEqual(['x1abcd', 'y2abcd'])
    expect(idsOf(['ada@example.com', 'eve@example.com'])).toEqual(['ada@example.com', 'eve@example.com'])
    expect(idsOf(['u😀', 'v😀'])).toEqual(['u😀', 'v😀'])
  })

  it.each([
    ['a Cyrillic letter', 'Ada', 'Ad\u0430'],
    ['Greek and Cyrillic capitals', 'ABBA', '\u0391\u0412\u0392\u0410'],
    ['a Cyrillic capital, in another case', 'bob', '\u0412ob'],
    ['a capital that looks like a small letter', 'paypal', 'paypaI'],
    ['a digit', 'Bob', 'B0b'],
    ['two letters that look like one', 'Adam', 'Adarn'],
    ['wide letters', 'Ada', 'Ａｄａ'],
    ['an invisible tail, from before these were refused', 'Ada', 'Ada\u200b'],
    ['another way to write an accent', 'René', 'Rene\u0301'],
  ])('whose names look alike by %s are told apart', async (_what, one, other) => {
    await loadSkeleton()
    const people = [one, other, 'Cleo', 'Аня'].map((name, index) => ({ id: `u-000${index}`, name }))
    expect([...shortIds(people, skeleton.value).values()]).toEqual(['0000', '0001'])
  })
})

describe('the members of a room', () => {
  it('are filtered, and the user is among them also where the list ends before', () => {
    const me = { id: 'me', name: 'Ann' }
    const list = ['zoe', 'Bob'].map((name) => ({ id: name, name }))
    expect(membersShown(list, { me, filter: '' }).map(({ name }) => name)).toEqual(['Ann', 'Bob', 'zoe'])
    expect(membersShown(list, { me, filter: 'o' }).map(({ name }) => name)).toEqual(['Bob', 'zoe'])
    expect(membersShown([], { me, filter: '' })).toEqual([])
  })

  it('are listed with the user first, then by name', () => {
    const members = [
      { id: '3', name: 'zoe' },
      { id: '1', name: 'Bob' },
      { id: '2', name: 'ann' },
      { id: '0', name: 'Bob' },
    ]
    expect(sortedMembers(members, '3').map(({ id }) => id)).toEqual(['3', '2', '0', '1'])
  })
})
