import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHostTag, generateSessionId, ownerOf, workerTag } from '../../src/core/session-id.ts'

const hostTags = fc.constantFrom(...Array.from({ length: 50 }, createHostTag))
const workerNumbers = fc.integer({ min: 1, max: 9_999_999_999 })

test('a session id names the worker that created it, for any random part', () => {
  fc.assert(
    fc.property(hostTags, workerNumbers, (hostTag, number) => {
      const tag = workerTag(hostTag, number)
      const id = generateSessionId(tag)
      expect(ownerOf(id)).toBe(tag)
      expect(encodeURIComponent(id)).toBe(id)
    }),
  )
})

test('no two workers have the same tag', () => {
  fc.assert(
    fc.property(hostTags, workerNumbers, hostTags, workerNumbers, (hostA, a, hostB, b) => {
      expect(workerTag(hostA, a) === workerTag(hostB, b)).toBe(hostA === hostB && a === b)
    }),
  )
})

test('any other id names no worker', () => {
  const id = generateSessionId(workerTag(createHostTag(), 1))
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (other) => {
      expect(ownerOf(other)).toBeNull()
    }),
  )
  for (const other of [id.slice(1), id.slice(0, -1), `${id}x`, ` ${id}`, `${id}\n`, id.replace('-', '_')]) {
    expect(ownerOf(other), other).toBeNull()
  }
})

test('session ids do not repeat', () => {
  const ids = Array.from({ length: 10_000 }, () => generateSessionId('abcdef1'))
  expect(new Set(ids).size).toBe(ids.length)
})

test.each([
  ['', 1],
  ['abcde', 1],
  ['abcde-', 1],
  ['abcdefg', 1],
  ['abcdef', 0],
  ['abcdef', -1],
  ['abcdef', 1.5],
])('host tag %j with number %d is refused', (hostTag, number) => {
  expect(() => workerTag(hostTag, number)).toThrow(TypeError)
})
