import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { CorkedWriter } from '../../src/core/corked-writer.ts'

let writes: string[]
let writer: CorkedWriter

beforeEach(() => {
  const stream = new PassThrough()
  writes = []
  stream.on('data', (chunk: Buffer) => writes.push(chunk.toString()))
  writer = new CorkedWriter(stream)
})

test('what one turn writes leaves as one write at its end', async () => {
  writer.write(Buffer.from('a'))
  writer.write(Buffer.from('b'))
  expect(writer.queuedBytes).toBe(2)
  expect(writes).toEqual([])
  await turn()
  await turn()
  expect(writes).toEqual(['ab'])
  expect(writer.queuedBytes).toBe(0)
})

test('what must leave soon takes along what waits, in order, once', async () => {
  writer.write(Buffer.from('a'))
  writer.write(Buffer.from('b'), true)
  writer.write(Buffer.from('c'))
  await turn()
  await turn()
  expect(writes).toEqual(['abc'])
})

test('much leaves at once', async () => {
  writer.write(Buffer.alloc(256 * 1024, 'x'))
  await turn()
  expect(writes.join('')).toHaveLength(256 * 1024)
})
