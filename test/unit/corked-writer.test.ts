import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { CorkedWriter } from '../../src/core/corked-writer.ts'

let writes: string[]
let writer: CorkedWriter

beforeEach(() => {
  const stream = new PassThrough()
  writes = []
  stream.on('data', (chunk: Buffer) => writes.push(chunk.toString()))
  writer = new CorkedWriter(stream)
})

test('the data written in one turn is sent as one write at its end', async () => {
  writer.write(Buffer.from('a'))
  writer.write(Buffer.from('b'))
  expect(writer.queuedBytes).toBe(2)
  expect(writes).toEqual([])
  await turn()
  await turn()
  expect(writes).toEqual(['ab'])
  expect(writer.queuedBytes).toBe(0)
})

test('urgent data is sent together with waiting data, in order, once', async () => {
  writer.write(Buffer.from('a'))
  writer.write(Buffer.from('b'), 'soon')
  writer.write(Buffer.from('c'))
  await turn()
  await turn()
  expect(writes).toEqual(['abc'])
})

test('a large amount is sent at once', async () => {
  writer.write(Buffer.alloc(256 * 1024, 'x'))
  await turn()
  expect(writes.join('')).toHaveLength(256 * 1024)
})

test('data that can wait is sent at the end of its turn, and is gathered when writes are frequent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const gathered = async (text: string) => {
    writer.write(Buffer.from(text), 'gather')
    await turn()
    await turn()
    return writes
  }
  vi.advanceTimersByTime(100)
  expect(await gathered('a')).toEqual(['a'])
  expect(await gathered('b')).toEqual(['a'])
  expect(await gathered('c')).toEqual(['a'])
  expect(writer.queuedBytes).toBe(2)
  vi.advanceTimersByTime(2)
  expect(writes).toEqual(['a', 'bc'])
  expect(writer.queuedBytes).toBe(0)
  vi.advanceTimersByTime(100)
  expect(await gathered('d')).toEqual(['a', 'bc', 'd'])
})

test('data that cannot wait is sent together with gathered data, in order, once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  writer.write(Buffer.from('a'))
  await turn()
  writer.write(Buffer.from('b'), 'gather')
  writer.write(Buffer.from('c'))
  await turn()
  await turn()
  vi.advanceTimersByTime(100)
  expect(writes).toEqual(['a', 'bc'])
})
