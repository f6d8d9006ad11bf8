import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PresenceTable } from '../../src/primary/presence/presence-table.ts'
import { FOUND_MAX, MEMBERS_SHOWN } from '../../src/wire/app.ts'

const user = (id: string) => ({ id, name: `name of ${id}` })
const entering = (room: string, id: string, sessionId = id) => ({ room, user: user(id), sessionId })
const leaving = (room: string, userId: string, sessionId = userId) => ({ room, userId, sessionId })

const keyOf = (of: { worker: string; room: string; id: string; sessionId: string }) =>
  [of.worker, of.room, of.id, of.sessionId].join(' ')

describe('the presence table', () => {
  it('counts a user with three tabs on two workers once, until the last tab closes', () => {
    const table = new PresenceTable()
    table.enter('w1', entering('den', 'ann', 'tab 1'))
    table.enter('w1', entering('den', 'ann', 'tab 2'))
    expect(table.enter('w2', entering('den', 'ann', 'tab 1'))).toEqual({ members: [user('ann')], count: 1 })
    expect(table.takeChanges()).toEqual([{ room: 'den', joined: [user('ann')], left: [], count: 1 }])

    table.leave('w1', leaving('den', 'ann', 'tab 1'))
    table.leave('w1', leaving('den', 'ann', 'tab 1'))
    table.leave('w1', leaving('den', 'ann', 'never there'))
    expect(table.takeChanges()).toEqual([])
    table.leave('w1', leaving('den', 'ann', 'tab 2'))
    expect(table.members('den').count).toBe(1)
    expect(table.takeChanges()).toEqual([])

    table.leave('w2', leaving('den', 'ann', 'tab 1'))
    expect(table.members('den')).toEqual({ members: [], count: 0 })
    expect(table.takeChanges()).toEqual([{ room: 'den', joined: [], left: [{ id: 'ann' }], count: 0 }])
    expect(table.size).toBe(0)
  })

  it('lists members in the order of arrival', () => {
    const table = new PresenceTable()
    for (const id of ['cat', 'ann', 'bob']) table.enter('w1', entering('den', id))
    table.leave('w1', leaving('den', 'ann'))
    table.enter('w1', entering('den', 'ann'))
    expect(table.members('den').members.map(({ id }) => id)).toEqual(['cat', 'bob', 'ann'])
  })

  it('lists those after a member, so that all of a large room can be read page by page', () => {
    const table = new PresenceTable(2)
    const ids = ['ann', 'bob', 'cat', 'dan', 'eve']
    for (const id of ids) table.enter('w1', entering('den', id))
    const idsOf = (after?: string) => table.members('den', { after }).members.map(({ id }) => id)
    expect([idsOf(), idsOf('bob'), idsOf('dan'), idsOf('eve')]).toEqual([
      ['ann', 'bob'],
      ['cat', 'dan'],
      ['eve'],
      [],
    ])
    table.leave('w1', leaving('den', 'bob'))
    // Nobody is passed over.
    expect(idsOf('bob')).toEqual(['ann', 'cat'])
    expect(table.members('den', { after: 'cat' }).count).toBe(4)
  })

  it('finds members by a part of their name, also by a new one', () => {
    const table = new PresenceTable(2)
    const enter = (id: string, name: string, sessionId = id) =>
      table.enter('w1', { room: 'den', user: { id, name }, sessionId })
    for (const [at, name] of ['Joan', 'Grace Hopper', 'Zoë Hope', 'Shopper'].entries()) enter(`${at}`, name)
    const names = (search: string) => table.members('den', { search }).members.map(({ name }) => name)
    expect(names('HOP')).toEqual(['Grace Hopper', 'Zoë Hope', 'Shopper'])
    expect(names('zoe')).toEqual(['Zoë Hope'])
    enter('2', 'Ann', 'again')
    expect(names('zoe')).toEqual([])
    expect(names('an')).toEqual(['Ann', 'Joan'])
    for (let at = 0; at < 100; at += 1) enter(`more-${at}`, `Guest ${at}`)
    const { members, count } = table.members('den', { search: 'guest' })
    expect([members.length, count]).toEqual([FOUND_MAX, 104])
  })

  it('ignores users who left and returned, or joined and left, within a batch', () => {
    const table = new PresenceTable()
    table.enter('w1', entering('den', 'ann'))
    table.takeChanges()
    table.leave('w1', leaving('den', 'ann'))
    table.enter('w2', entering('den', 'ann'))
    table.enter('w1', entering('den', 'bob'))
    table.leave('w1', leaving('den', 'bob'))
    expect(table.takeChanges()).toEqual([])
    expect(table.members('den').count).toBe(1)
  })

  it('reports users who left and returned, or joined and left, to those who read the members meanwhile', () => {
    const table = new PresenceTable()
    table.enter('w1', entering('den', 'ann'))
    table.takeChanges()
    table.enter('w1', entering('den', 'bob'))
    expect(table.enter('w1', entering('den', 'cat')).count).toBe(3)
    table.leave('w1', leaving('den', 'bob'))
    table.leave('w1', leaving('den', 'ann'))
    expect(table.members('den')).toEqual({ members: [user('cat')], count: 1 })
    table.enter('w1', entering('den', 'ann'))
    expect(table.takeChanges()).toEqual([
      { room: 'den', joined: [user('cat'), user('ann')], left: [{ id: 'bob' }], count: 2 },
    ])
    expect(table.takeChanges()).toEqual([])
  })

  it('forgets a room in which somebody joined and left within a batch', () => {
    const table = new PresenceTable()
    table.enter('w1', entering('den', 'ann'))
    table.leave('w1', leaving('den', 'ann'))
    expect(table.takeChanges()).toEqual([])
    expect(table.size).toBe(0)
  })

  it('removes the sessions of a dead worker, and keeps those of others', () => {
    const table = new PresenceTable()
    table.enter('w1', entering('den', 'ann'))
    table.enter('w1', entering('den', 'bob'))
    table.enter('w2', entering('den', 'bob'))
    table.enter('w1', entering('attic', 'ann'))
    table.takeChanges()
    table.dropWorker('w1')
    expect(table.takeChanges()).toEqual([
      { room: 'den', joined: [], left: [{ id: 'ann' }], count: 1 },
      { room: 'attic', joined: [], left: [{ id: 'ann' }], count: 0 },
    ])
    table.dropWorker('w1')
    expect(table.takeChanges()).toEqual([])
    expect(table.members('den').members).toEqual([user('bob')])
    expect(table.size).toBe(1)
  })

  it('shows only the first members, and only the count of a large room', () => {
    const table = new PresenceTable()
    for (let n = 0; n <= MEMBERS_SHOWN; n += 1) table.enter('w1', entering('hall', `u${n}`))
    const { members, count } = table.members('hall')
    expect([members.length, count, members[0]]).toEqual([MEMBERS_SHOWN, MEMBERS_SHOWN + 1, user('u0')])
    expect(table.takeChanges()).toEqual([{ room: 'hall', joined: [], left: [], count: MEMBERS_SHOWN + 1 }])

    table.leave('w1', leaving('hall', 'u7'))
    expect(table.takeChanges()).toEqual([
      { room: 'hall', joined: [], left: [{ id: 'u7' }], count: MEMBERS_SHOWN },
    ])
  })

  it('agrees with a list of sessions, in any order of joins and leaves', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('enter' as const),
          worker: name,
          room: name,
          id: name,
          sessionId: name,
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('leave' as const),
          worker: name,
          room: name,
          id: name,
          sessionId: name,
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), worker: name }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new PresenceTable()
        const sessions = new Map<string, { worker: string; room: string; id: string }>()
        /** The state of a reader that applies every change. */
        const believed = new Map<string, Set<string>>()
        /** The states of readers that began with an answer to an enter. */
        const readers: { room: string; me: string; ids: Set<string> }[] = []
        const take = () => {
          for (const { room, joined, left, count } of table.takeChanges()) {
            const ids = believed.get(room) ?? new Set<string>()
            for (const { id } of left) ids.delete(id)
            for (const { id } of joined) ids.add(id)
            expect(ids.size).toBe(count)
            believed.set(room, ids)
            for (const reader of readers) {
              if (reader.room !== room) continue
              for (const { id } of left) reader.ids.delete(id)
              for (const { id } of joined) reader.ids.add(id)
            }
          }
        }
        for (const next of steps) {
          if (next.do === 'enter') {
            sessions.set(keyOf(next), next)
            const { members } = table.enter(next.worker, entering(next.room, next.id, next.sessionId))
            readers.push({ room: next.room, me: next.id, ids: new Set(members.map(({ id }) => id)) })
          } else if (next.do === 'leave') {
            sessions.delete(keyOf(next))
            table.leave(next.worker, leaving(next.room, next.id, next.sessionId))
          } else if (next.do === 'drop') {
            for (const [key, { worker }] of sessions) if (worker === next.worker) sessions.delete(key)
            table.dropWorker(next.worker)
          } else take()
        }
        take()
        for (const room of ['a', 'b', 'c']) {
          const there = new Set(
            [...sessions.values()].filter((session) => session.room === room).map(({ id }) => id),
          )
          expect(new Set(table.members(room).members.map(({ id }) => id))).toEqual(there)
          expect(believed.get(room) ?? new Set()).toEqual(there)
          for (const { me, ids } of readers.filter((reader) => reader.room === room))
            expect(new Set([...ids, me])).toEqual(new Set([...there, me]))
        }
        expect(table.size).toBe(new Set([...sessions.values()].map(({ room }) => room)).size)
      }),
      { numRuns: 500 },
    )
  })
})
