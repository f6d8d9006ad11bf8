import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineSet } from '../../src/core/deadline-set.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function create() {
  const overdue: string[] = []
  const set = new DeadlineSet<string>({
    limitMs: 100,
    now: () => Date.now(),
    onOverdue: (item) => overdue.push(item),
  })
  return { set, overdue }
}

test('each entry expires at its own time, whichever were removed before', () => {
  const { set, overdue } = create()
  set.add('a')
  vi.advanceTimersByTime(40)
  set.add('b')
  set.add('c')
  expect([set.size, set.oldest]).toEqual([3, 'a'])
  set.delete('b')
  vi.advanceTimersByTime(59)
  expect(overdue).toEqual([])
  vi.advanceTimersByTime(1)
  expect(overdue).toEqual(['a'])
  vi.advanceTimersByTime(40)
  expect(overdue).toEqual(['a', 'c'])
  expect([set.size, set.oldest, vi.getTimerCount()]).toEqual([0, undefined, 0])
})

test('an empty set holds no timer', () => {
  const { set, overdue } = create()
  set.add('a')
  expect(set.delete('a')).toBe(true)
  expect(set.delete('a')).toBe(false)
  set.add('b')
  set.add('c')
  expect(set.clear()).toEqual(['b', 'c'])
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(1_000)
  expect(overdue).toEqual([])
})

test('an entry that is added while another expires gets its whole time', () => {
  const again: number[] = []
  const set: DeadlineSet<string> = new DeadlineSet({
    limitMs: 100,
    now: () => Date.now(),
    onOverdue: () => {
      again.push(Date.now())
      if (again.length < 3) set.add('again')
    },
  })
  const start = Date.now()
  set.add('first')
  vi.advanceTimersByTime(1_000)
  expect(again.map((at) => at - start)).toEqual([100, 200, 300])
})
