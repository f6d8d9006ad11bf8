import { expect, it } from 'vitest'
import { PresenceTable } from '../../src/primary/presence/presence-table.ts'
import { PresencePace } from '../../src/primary/presence/throttle.ts'

const GATHERED_MS = 50

it('a small room is told whenever something changed, and not remembered', () => {
  const pace = new PresencePace(GATHERED_MS)
  for (const nowMs of [0, 50, 100]) {
    expect(pace.isDue('den', 100, nowMs)).toBe(true)
    pace.told('den', 100, nowMs)
  }
  expect(pace.size).toBe(0)
})

it.each([
  [500, 250],
  [2_000, 1_000],
  [100_000, 1_500],
])('a room of %d is told at once, and then every %d ms', (members, waitMs) => {
  const pace = new PresencePace(GATHERED_MS)
  expect(pace.isDue('hall', members, 0)).toBe(true)
  pace.told('hall', members, 0)
  expect(pace.isDue('hall', members, waitMs - 1)).toBe(false)
  expect(pace.isDue('another', members, waitMs - 1)).toBe(true)
  expect(pace.isDue('hall', members, waitMs)).toBe(true)
})

it('a room that became small is told at once', () => {
  const pace = new PresencePace(GATHERED_MS)
  pace.told('hall', 2_000, 0)
  expect(pace.isDue('hall', 10, 50)).toBe(true)
})

it('remembers no room for longer than it must', () => {
  const pace = new PresencePace(GATHERED_MS)
  for (let n = 0; n < 1_000; n += 1) pace.told(`hall${n}`, 1_000, n)
  expect(pace.size).toBe(1_000)
  pace.told('hall0', 1_000, 2_000)
  expect(pace.size).toBe(1_000 - 501 + 1)
  pace.told('hall0', 1_000, 10_000)
  expect(pace.size).toBe(1)
})

it('who came and went in a room that is not due yet is told when it is', () => {
  const table = new PresenceTable()
  const comes = (id: string) => table.enter('w1', { room: 'den', user: { id, name: id }, stay: id })
  comes('ann')
  expect(table.takeChanges(false, () => false)).toEqual([])
  expect(table.changed).toBe(true)
  comes('bob')
  comes('eve')
  table.leave('w1', { room: 'den', userId: 'eve', stay: 'eve' })
  const counts: number[] = []
  const isDue = (_: string, count: number) => counts.push(count) > 0
  const joined = ['ann', 'bob'].map((id) => ({ id, name: id }))
  expect(table.takeChanges(false, isDue)).toEqual([{ room: 'den', joined, left: [], count: 2 }])
  expect(counts).toEqual([2])
  expect(table.changed).toBe(false)
})
