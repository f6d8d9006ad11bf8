/** What the page shows of the connection, the members and the order of the rooms while these change. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Members } from '../../src/client/index.ts'
import { ShownMembers, together } from '../../src/web/session/shown-members.ts'
import { SHOWN_AFTER_MS, ShownState } from '../../src/web/session/shown-state.ts'
import type { RoomListItem } from '../../src/web/sidebar/room-list-model.ts'
import { RoomOrder } from '../../src/web/sidebar/room-order.ts'

const user = (id: string, name = id) => ({ id, name })
const members = (...ids: string[]): Members => ({ list: ids.map((id) => user(id)), count: ids.length })
const room = (name: string, unread = 0): RoomListItem => ({
  room: name,
  title: name,
  present: false,
  unread,
  mentions: 0,
  lastAt: 0,
})
const direct = (id: string, lastAt: number): RoomListItem => ({
  ...room(`dm:a:${id}`),
  title: id,
  other: user(id),
  lastAt,
})
const titles = (items: readonly RoomListItem[]) => items.map(({ title }) => title)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the state of the connection', () => {
  it('does not show an interruption that ends soon', () => {
    const shown = new ShownState(() => true)
    expect(shown.value.value).toBe('connecting')
    const seen = new Set<string>()
    shown.value.subscribe((state) => void seen.add(state))
    for (const state of ['online', 'offline', 'connecting', 'online'] as const) shown.update(state)
    vi.advanceTimersByTime(2 * SHOWN_AFTER_MS)
    expect([...seen]).toEqual(['connecting', 'online'])
  })

  it('shows an interruption that lasts, a lost network and a refusal', () => {
    const shown = new ShownState(() => true)
    shown.update('online')
    shown.update('offline')
    expect(shown.value.value).toBe('online')
    vi.advanceTimersByTime(SHOWN_AFTER_MS)
    expect(shown.value.value).toBe('offline')
    shown.update('online')
    shown.update('offline')
    shown.update('refused')
    expect(shown.value.value).toBe('refused')
    const without = new ShownState(() => false)
    without.update('online')
    without.update('offline')
    expect(without.value.value).toBe('offline')
    shown.close()
  })
})

describe('the members of a room', () => {
  it('who are back soon have not left', () => {
    const known = { members: members('ann', 'bob', 'cleo') }
    const counts = new Set<number>()
    const shown = new ShownMembers(known, () => void counts.add(known.members.count))
    const seen: number[] = []
    shown.value.subscribe(({ count, list }) => void seen.push(count, list.length))
    for (const now of [members('ann'), members('ann', 'bob'), members('ann', 'bob', 'cleo')]) {
      known.members = now
      shown.update()
    }
    vi.advanceTimersByTime(2 * SHOWN_AFTER_MS)
    expect(new Set(seen)).toEqual(new Set([3]))
  })

  it('who stay away are removed, and who comes is shown at once', () => {
    const known = { members: members('ann', 'bob') }
    const shown = new ShownMembers(known, () => undefined)
    known.members = members('ann', 'cleo')
    shown.update()
    expect(shown.value.value.list.map(({ id }) => id)).toEqual(['ann', 'bob', 'cleo'])
    vi.advanceTimersByTime(SHOWN_AFTER_MS)
    expect(shown.value.value).toEqual(members('ann', 'cleo'))
  })

  it('are counted where not all of them are listed', () => {
    expect(together({ list: [user('a')], count: 601 }, { list: [user('b')], count: 300 })).toEqual({
      list: [user('a'), user('b')],
      count: 601,
    })
    expect(together(members('a'), { list: [user('a', 'New name')], count: 1 }).list).toEqual([
      user('a', 'New name'),
    ])
  })
})

describe('the order of a list of rooms', () => {
  const many = Array.from({ length: 13 }, (_, at) => room(`r${at}`))

  it('is that of their names, with unread rooms first when it is long', () => {
    const order = new RoomOrder()
    expect(titles(order.sectionsOf([room('b10'), room('b9'), room('A')], undefined).rooms)).toEqual([
      'A',
      'b9',
      'b10',
    ])
    const short = new RoomOrder().sectionsOf([...many.slice(0, 11), room('z', 1)], undefined)
    expect(titles(short.rooms).at(-1)).toBe('z')
    const long = new RoomOrder().sectionsOf([...many, room('z', 1)], undefined)
    expect(titles(long.rooms)).toEqual(['z', ...titles(many)])
  })

  it('does not change when a room is opened and read, but when another has news', () => {
    const order = new RoomOrder()
    const of = (unread: Record<string, number>, open?: string) =>
      titles(
        order.sectionsOf([...many, room('y', unread.y), room('z', unread.z), room('x', unread.x)], open)
          .rooms,
      ).slice(0, 3)
    expect(of({ y: 1, z: 1 })).toEqual(['y', 'z', 'r0'])
    expect(of({ y: 1, z: 1 }, 'z')).toEqual(['y', 'z', 'r0'])
    expect(of({ y: 1 }, 'z')).toEqual(['y', 'z', 'r0'])
    expect(of({}, 'y')).toEqual(['y', 'z', 'r0'])
    expect(of({ y: 2 }, 'y')).toEqual(['y', 'z', 'r0'])
    expect(of({ x: 1 }, 'y')).toEqual(['x', 'y', 'r0'])
    expect(of({ x: 1 }, 'r5')).toEqual(['x', 'y', 'r0'])
  })

  it('has people by their last message, and opening a conversation moves none', () => {
    const order = new RoomOrder()
    const of = (times: Record<string, number>, open?: string) =>
      titles(
        order.sectionsOf(
          Object.entries(times).map(([id, at]) => direct(id, at)),
          open,
        ).direct,
      )
    expect(of({ xaver: 1, cleo: 2, bob: 1 })).toEqual(['cleo', 'bob', 'xaver'])
    expect(of({ xaver: 1, cleo: 2, bob: 1, old: 0 })).toEqual(['cleo', 'bob', 'xaver', 'old'])
    expect(of({ xaver: 1, cleo: 2, bob: 1, old: 9 }, 'dm:a:old')).toEqual(['cleo', 'bob', 'xaver', 'old'])
    expect(of({ xaver: 3, cleo: 2, bob: 1, old: 0 })).toEqual(['xaver', 'cleo', 'bob', 'old'])
  })
})
