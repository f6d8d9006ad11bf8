import { expect, test } from 'vitest'
import { HttpHeadParser } from '../../src/core/http-head-parser.ts'
import { type Placement, placementKey, slotOf } from '../../src/core/placement.ts'
import { checkPlacement } from '../../src/worker/app/placement.ts'

function keyIn(placement: Placement): string | undefined {
  const lines = [
    'GET /socket.io/?EIO=4&doc=a%20b&doc=c&empty= HTTP/1.1',
    'X-Team: red ',
    'Cookie: a=1; team=blue=1; Team=no',
    'X-Team: second',
  ]
  const progress = new HttpHeadParser(4_096).push(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
  if (progress.state !== 'complete') throw new Error(progress.state)
  return placementKey(placement, progress.head)
}

test.each([
  ['query', 'doc', 'c'],
  ['query', 'empty', undefined],
  ['query', 'none', undefined],
  ['header', 'x-TEAM', 'red'],
  ['header', 'none', undefined],
  ['cookie', 'team', 'blue=1'],
  ['cookie', 'none', undefined],
] as const)('the key in a %s named %s is %s', (from, name, key) => {
  expect(keyIn({ from, name })).toBe(key)
})

test('keys are spread over all places, each always to the same one', () => {
  const keys = Array.from({ length: 4_000 }, (_, index) => `doc-${index}`)
  const counts = [0, 0, 0, 0]
  for (const key of keys) counts[slotOf(key, 4)] = (counts[slotOf(key, 4)] ?? 0) + 1
  for (const count of counts) expect(count).toBeGreaterThan(800)
  expect(keys.map((key) => slotOf(key, 4))).toEqual(keys.map((key) => slotOf(key, 4)))
  expect(slotOf('any', 1)).toBe(0)
})

test('what an application exports is checked', () => {
  expect(checkPlacement(undefined)).toBeUndefined()
  expect(checkPlacement({ cookie: 'team' })).toEqual({ from: 'cookie', name: 'team' })
  const wrong = [null, 'doc', {}, { query: '' }, { query: 1 }, { header: 'a b' }, { body: 'x' }]
  for (const value of [...wrong, { query: 'a', cookie: 'b' }, { query: 'x'.repeat(300) }])
    expect(() => checkPlacement(value)).toThrow("placement: it is { query: 'name' }")
})
