import { expect, it } from 'vitest'
import { PresenceTable } from '../../src/primary/presence/presence-table.ts'
import { PresenceThrottle } from '../../src/primary/presence/throttle.ts'

const GATHERED_MS = 50

it('a small room is published at each change, and not remembered', () => {
  const throttle = new PresenceThrottle(GATHERED_MS)
  for (const nowMs of [0, 50, 100]) {
    expect(throttle.isDue('den', 100, nowMs)).toBe(true)
    throttle.published('den', 100, nowMs)
  }
  expect(throttle.size).toBe(0)
})

it.each([
  [500, 250],
  [2_000, 1_000],
  [100_000, 1_500],
])('a room of %d is published at once, and then every %d ms', (members, waitMs) => {
  const throttle = new PresenceThrottle(GATHERED_MS)
  expect(throttle.isDue('hall', members, 0)).toBe(true)
  throttle.published('hall', members, 0)
  expect(throttle.isDue('hall', members, waitMs - 1)).toBe(false)
  expect(throttle.isDue('another', members, waitMs - 1)).toBe(true)
  expect(throttle.isDue('hall', members, waitMs)).toBe(true)
})

it('a room that became small is published at once', () => {
  const throttle = new PresenceThrottle(GATHERED_MS)
  throttle.published('hall', 2_000, 0)
  expect(throttle.isDue('hall', 10, 50)).toBe(true)
})

it('no room is remembered longer than necessary', () => {
  const throttle = new PresenceThrottle(GATHERED_MS)
  for (let n = 0; n < 1_000; n += 1) throttle.published(`hall${n}`, 1_000, n)
  expect(throttle.size).toBe(1_000)
  throttle.published('hall0', 1_000, 2_000)
  expect(throttle.size).toBe(1_000 - 501 + 1)
  throttle.published('hall0', 1_000, 10_000)
  expect(throttle.size).toBe(1)
})

it('joins and leaves in a room that is not due yet are published when it is due', () => {
  const table = new PresenceTable()
  const comes = (id: string) => table.enter('w1', { room: 'den', user: { id, name: id }, sessionId: id })
  comes('ann')
  expect(table.takeChanges(false, () => false)).toEqual([])
  expect(table.changed).toBe(true)
  comes('bob')
  comes('eve')
  table.leave('w1', { room: 'den', userId: 'eve', sessionId: 'eve' })
  const counts: number[] = []
  const isDue = (_: string, count: number) => counts.push(count) > 0
  const joined = ['ann', 'bob'].map((id) => ({ id, name: id }))
  expect(table.takeChanges(false, isDue)).toEqual([{ room: 'den', joined, left: [], count: 2 }])
  expect(counts).toEqual([2])
  expect(table.changed).toBe(false)
})
