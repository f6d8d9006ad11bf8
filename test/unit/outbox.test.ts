import { PassThrough, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { CorkedWriter } from '../../src/core/corked-writer.ts'
import { LogThrottle } from '../../src/core/log-throttle.ts'
import { Outbox } from '../../src/core/outbox.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A stream that records each write that reaches it. */
function sink(): { stream: Writable; writes: string[] } {
  const writes: string[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(String(chunk))
      done()
    },
  })
  return { stream, writes }
}

describe('an outbox', () => {
  const limits = { softBytes: 10, hardBytes: 20, restBytes: 25, closeBytes: 30 }

  function outbox() {
    const writer = {
      queuedBytes: 0,
      written: [] as string[],
      write: (bytes: Buffer) => writer.written.push(String(bytes)),
    }
    const told: string[] = []
    const box = new Outbox(writer, limits, {
      dropped: (priority, bytes) => told.push(`${priority} ${bytes}`),
      overflowed: (bytes) => told.push(`overflow at ${bytes}`),
    })
    return { writer, told, box }
  }

  it('drops volatile frames first, then publications, and never necessary frames until it overflows', () => {
    const { writer, told, box } = outbox()
    const offer = (queuedBytes: number) => {
      writer.queuedBytes = queuedBytes
      return (['volatile', 'publication', 'control'] as const).map((priority) =>
        box.offer(Buffer.from('ab'), priority),
      )
    }
    expect(offer(10)).toEqual([true, true, true])
    expect(offer(11)).toEqual([false, true, true])
    expect(offer(21)).toEqual([false, false, true])
    expect(told).toEqual(['volatile 2', 'volatile 2', 'publication 2'])
    expect(offer(31)).toEqual([false, false, false])
    expect(told.slice(3)).toEqual(['volatile 2', 'publication 2', 'control 2', 'overflow at 31'])
    expect(offer(0)).toEqual([false, false, false])
    expect(told).toHaveLength(7)
    expect(writer.written).toHaveLength(6)
  })

  it('accepts all parts of a publication or none, and later parts past the bound of new publications', () => {
    const { writer, told, box } = outbox()
    const parts = [Buffer.from('a'), Buffer.from('b')]
    writer.queuedBytes = 20
    expect(box.offerAll(parts, 'publication')).toBe(true)
    writer.queuedBytes = 21
    expect(box.offerAll(parts, 'publication')).toBe(false)
    expect(box.offer(Buffer.from('c'), 'part')).toBe(true)
    writer.queuedBytes = 26
    expect(box.offer(Buffer.from('d'), 'part')).toBe(false)
    expect([writer.written, told]).toEqual([
      ['a', 'b', 'c'],
      ['publication 2', 'part 1'],
    ])
  })
})

describe('a corked writer', () => {
  it('makes one write per turn, in order, and an early one when a write is urgent', async () => {
    const { stream, writes } = sink()
    const writer = new CorkedWriter(stream)
    writer.write(Buffer.from('a'))
    writer.write(Buffer.from('b'))
    expect(writes).toEqual([])
    expect(writer.queuedBytes).toBe(2)
    await turn()
    expect(writes).toEqual(['ab'])
    writer.write(Buffer.from('c'))
    writer.write(Buffer.from('d'), 'soon')
    await Promise.resolve()
    await new Promise((resolve) => process.nextTick(resolve))
    expect(writes).toEqual(['ab', 'cd'])
    expect(writer.queuedBytes).toBe(0)
  })

  it('collects no more than its limit', () => {
    const { stream, writes } = sink()
    const writer = new CorkedWriter(stream)
    for (let index = 0; index < 10; index += 1) writer.write(Buffer.alloc(100_000, 'x'))
    expect(writes.length).toBe(3)
    writer.flush()
    expect(writes.join('')).toHaveLength(1_000_000)
  })

  it('frees its data when the stream is closed', async () => {
    const stream = new PassThrough()
    const writer = new CorkedWriter(stream)
    writer.write(Buffer.from('a'))
    stream.destroy()
    await turn()
    expect(writer.queuedBytes).toBe(0)
  })
})

describe('a log throttle', () => {
  it('lets one line per interval through and reports how many it suppressed', () => {
    let nowMs = 0
    const lines: number[] = []
    const throttle = new LogThrottle(100, () => nowMs)
    for (nowMs = 0; nowMs <= 250; nowMs += 25) throttle.run((heldBack) => lines.push(heldBack))
    expect(lines).toEqual([0, 3, 3])
  })
})
