import { expect, test } from 'vitest'
import { StallJudge } from '../../src/worker/connections/stalled.ts'

const limits = { maxBytes: 1_000, patienceMs: 30_000 }
const client = {}

test('a large backlog is fine while the client takes any of it', () => {
  const judge = new StallJudge<object>(limits)
  for (let second = 0; second < 120; second += 1)
    expect(
      judge.judge(client, { unsentBytes: 16_000, progress: Math.floor(second / 29) }, second * 1_000),
    ).toBe('fine')
})

test('a client that takes nothing is stalled when its patience is over, whatever is added', () => {
  const judge = new StallJudge<object>(limits)
  const verdicts = [0, 29_999, 30_000].map((now) =>
    judge.judge(client, { unsentBytes: 2_000 + now / 10, progress: 5 }, now),
  )
  expect(verdicts).toEqual(['fine', 'fine', 'stalled'])
})

test('a small backlog counts for nothing, and starts the patience anew', () => {
  const judge = new StallJudge<object>(limits)
  const at = (now: number, unsentBytes: number) => judge.judge(client, { unsentBytes, progress: 5 }, now)
  expect([at(0, 2_000), at(20_000, 1_000), at(40_000, 2_000), at(69_999, 2_000), at(70_000, 2_000)]).toEqual([
    'fine',
    'fine',
    'fine',
    'fine',
    'stalled',
  ])
})

test('past the hard limit nobody is waited for', () => {
  const judge = new StallJudge<object>(limits)
  expect(judge.judge(client, { unsentBytes: 16_001, progress: 1 }, 0)).toBe('full')
})
