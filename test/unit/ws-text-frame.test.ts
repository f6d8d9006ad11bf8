import { expect, test } from 'vitest'
import { textFrame } from '../../src/core/ws-text-frame.ts'

test.each([
  [0, '8100'],
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
])('a payload of %i bytes has the header of RFC 6455: %s', (length, header) => {
  const text = 'x'.repeat(length)
  const frame = textFrame(text).toString('hex')
  expect(frame).toBe(header + Buffer.from(text).toString('hex'))
})

test('a character of several bytes counts as that many bytes', () => {
  expect(textFrame('Žluťoučký 🐎').toString('hex')).toBe(`8112${Buffer.from('Žluťoučký 🐎').toString('hex')}`)
})
