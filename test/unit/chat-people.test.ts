/** Whom a worker of the chat knows by name, and what a search finds among them. */
import { describe, expect, it } from 'vitest'
import { People, togetherFound } from '../../src/chat/rooms/people.ts'
import { bestMatches, foldedName } from '../../src/core/name-search.ts'
import type { RoomPage, Rooms } from '../../src/wire/app.ts'
import type { LogEntry } from '../../src/wire/entry.ts'

const user = (name: string, id = name.toLowerCase()) => ({ id, name })
const names = (found: readonly { name: string; present: boolean }[]) =>
  found.map(({ name, present }) => (present ? name : `(${name})`))

const entry = (room: string, name: string, kind: LogEntry['kind'] = 'text'): LogEntry => ({
  room,
  seq: 1,
  id: 'm',
  kind,
  from: user(name),
  at: 0,
})

/** Rooms whose log has these entries. */
function roomsWith(...entries: LogEntry[]): Rooms {
  const page = (room: string): RoomPage => ({
    epoch: 'e',
    head: 1,
    first: 1,
    entries: entries.filter((one) => one.room === room),
    more: false,
  })
  return { read: (room: string) => Promise.resolve(page(room)) } as Partial<Rooms> as Rooms
}

const found = (wanted: string, all: string[], max = 9) =>
  bestMatches(all, { wanted: foldedName(wanted), nameOf: foldedName, max })

describe('a part of a name', () => {
  it('is found without regard to case, accents, width and form', () => {
    const all = ['Zoë', 'ＺＯＥ', 'Zoe\u0308', 'Bob']
    expect(found('zoe', all)).toEqual(['Zoë', 'ＺＯＥ', 'Zoe\u0308'])
    expect(found('ZOË', all)).toEqual(['Zoë', 'ＺＯＥ', 'Zoe\u0308'])
  })

  it('is found at the beginning, then where a word begins, then within a word', () => {
    const all = ['Shannon', 'Mary-Ann', 'Ann', 'Joanna Ann', '李安 Ann', 'Bob']
    expect(found('ann', all)).toEqual(['Ann', 'Mary-Ann', 'Joanna Ann', '李安 Ann', 'Shannon'])
    expect(found('ann', all, 2)).toEqual(['Ann', 'Mary-Ann'])
    expect(found('', all, 1)).toEqual(['Shannon'])
  })
})

describe('the people whom a worker knows', () => {
  it('are those who are connected, and then those who were', () => {
    const people = new People(() => true)
    for (const name of ['Ann', 'Anna', 'Joan']) people.connected(user(name))
    people.connected(user('Ann'))
    people.disconnected(user('Ann'))
    people.disconnected(user('Anna'))
    expect(names(people.find('an', 9))).toEqual(['Ann', 'Joan', '(Anna)'])
    expect(names(people.find('an', 2))).toEqual(['Ann', 'Joan'])
    people.connected(user('Anna'))
    expect(names(people.find('anna', 9))).toEqual(['Anna'])
    expect(people.size).toBe(3)
  })

  it('are found by the name of their newest connection', () => {
    const people = new People(() => true)
    people.connected(user('Ann', '1'))
    expect(people.find('bob', 9)).toEqual([])
    people.connected(user('Bob', '1'))
    expect(names(people.find('bob', 9))).toEqual(['Bob'])
    expect(people.find('ann', 9)).toEqual([])
  })

  it('are also the authors of what is read, but not in direct rooms, and nobody who can’t come back', async () => {
    const people = new People((id) => id !== 'passer-by')
    const rooms = people.reading(
      roomsWith(
        entry('lobby', 'Ada'),
        entry('lobby', 'Passer-by'),
        entry('lobby', 'Forged', 'unreadable'),
        entry('dm:ann:bob', 'Bob'),
      ),
    )
    for (const room of ['lobby', 'dm:ann:bob']) await rooms.read(room, { newest: true, limit: 9 })
    for (const name of ['Passer-by', 'Guest']) {
      people.connected(user(name))
      people.disconnected(user(name))
    }
    const all = ['a', 'b', 'e', 'f', 'p'].flatMap((part) => names(people.find(part, 9)))
    expect(new Set(all)).toEqual(new Set(['(Ada)', '(Guest)']))
  })

  it('are bounded: who came first is forgotten first', () => {
    const people = new People(() => true, 2)
    for (const name of ['Ann', 'Anna', 'Joan']) {
      people.connected(user(name))
      people.disconnected(user(name))
    }
    expect(names(people.find('an', 9))).toEqual(['(Anna)', '(Joan)'])
  })
})

const person = (name: string, present: boolean) => ({ ...user(name), present })

it('what several workers have found is one list: each once, those who are connected first', () => {
  const all = [person('Joan', true), person('Ann', false), person('Anna', false), person('Ann', true)]
  expect(names(togetherFound(all, 'an', 9))).toEqual(['Ann', 'Joan', '(Anna)'])
  expect(names(togetherFound(all, 'an', 2))).toEqual(['Ann', 'Joan'])
})
