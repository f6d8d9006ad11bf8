/** The embedded log across processes: after a killed writer, for other readers, and the order of writes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbeddedReader } from '../../src/log/embedded-reader.ts'
import { LogDirectory } from './log-directory.ts'
import { LogProcess } from './log-process.ts'
import { refused, text } from './log-under-test.ts'

interface Ack {
  room: string
  seq: number
  id: string
}
const toAck = (line: string): Ack => JSON.parse(line)

describe('the embedded log across processes', () => {
  let directory: LogDirectory
  beforeEach(async () => {
    directory = await LogDirectory.ordinary()
  })
  afterEach(() => directory.dispose())

  const start = (program: 'writer' | 'reader', args: string[] = [], wrapper: string[] = []) => {
    const process = new LogProcess(program, [directory.path, ...args], wrapper)
    directory.closeAtEnd(process)
    return process
  }

  it('has every acked entry after kill -9 of the writer, and no gap', async () => {
    const acked: Ack[] = []
    for (const round of ['a', 'b', 'c']) {
      const writer = start('writer', ['16', round])
      for (let n = 0; n < 150; n += 1) acked.push(toAck(await writer.line()))
      acked.push(...(await writer.kill()).map(toAck))
    }
    const log = await directory.openLog()
    const stored = new Map<string, string>()
    for (const room of ['room0', 'room1', 'room2', 'room3']) {
      const { entries, head, first } = await log.read(room, { after: 0, limit: Infinity })
      expect([first, entries.length]).toEqual([1, head])
      expect(new Set(entries.map(({ id }) => id)).size).toBe(head)
      for (const { seq, id } of entries) stored.set(`${room} ${seq}`, id)
    }
    expect(acked.length).toBeGreaterThanOrEqual(450)
    for (const { room, seq, id } of acked) expect(stored.get(`${room} ${seq}`)).toBe(id)
  })

  it('lets its process crash with an error in the middle of appends, and has every acked entry', async () => {
    let acked = 0
    for (let round = 0; round < 12; round += 1) {
      const writer = start('writer', ['16', `r${round}`])
      for (let n = 0; n < 20; n += 1) await writer.line()
      acked += 20 + (await writer.crash()).length
    }
    const log = await directory.openLog()
    const heads = await Promise.all([0, 1, 2, 3].map((n) => log.head(`room${n}`)))
    expect(heads.reduce((sum, { head }) => sum + head, 0)).toBeGreaterThanOrEqual(acked)
  })

  it('lets a reader in another process see each entry as soon as it is published, while the file grows', async () => {
    const log = await directory.openLog()
    const reader = start('reader')
    for (let n = 1; n <= 150; n += 1) {
      await log.append('den', text(`m${n}`, 'x'.repeat(20_000)))
      expect(JSON.parse(await reader.ask('den'))).toEqual({ head: n, id: `m${n}` })
    }
  })

  it('gives a reader that opened before the log existed a clear error, and then the log', async () => {
    const reader = await openEmbeddedReader({ directory: join(directory.path, 'later') })
    directory.closeAtEnd(reader)
    await expect(reader.head('den')).rejects.toEqual(refused('unavailable'))
    expect(existsSync(join(directory.path, 'later'))).toBe(false)
    const log = await directory.openLog({ directory: join(directory.path, 'later') })
    await log.append('den', text('m1'))
    expect(await reader.head('den')).toMatchObject({ head: 1 })
  })

  it('frees what killed readers held', async () => {
    const log = await directory.openLog()
    await log.append('den', text('m1'))
    const living = start('reader')
    const dying = [start('reader'), start('reader'), start('reader')]
    for (const reader of [living, ...dying]) await reader.ask('den')
    for (const reader of dying) await reader.kill()
    expect(log.reapDeadReaders()).toBe(3)
    expect(log.reapDeadReaders()).toBe(0)
    await log.append('den', text('m2'))
    expect(JSON.parse(await living.ask('den'))).toEqual({ head: 2, id: 'm2' })
  })

  /** Pages flushed, then the meta page through an O_DSYNC descriptor, then the ack: only then may readers see it. */
  it.skipIf(!existsSync('/usr/bin/strace'))('flushes the entry before it shows and acks it', async () => {
    const trace = join(directory.path, 'trace')
    const calls = 'trace=openat,pwrite64,pwritev,fdatasync,fsync,write'
    const writer = start('writer', ['1', 'a'], ['/usr/bin/strace', '-f', '-y', '-o', trace, '-e', calls])
    for (let n = 0; n < 10; n += 1) await writer.line()
    await writer.finish()

    const lines = readFileSync(trace, 'utf8').split('\n')
    expect(lines.filter((line) => line.includes('data.mdb') && line.includes('O_DSYNC'))).not.toEqual([])
    const steps = lines.flatMap((line) => stepOf(line) ?? [])
    const acks = steps.flatMap((step, at) => (step === 'ack' ? [at] : []))
    expect(acks.length).toBeGreaterThanOrEqual(10)
    for (const [n, at] of acks.entries()) {
      expect(steps.slice((acks[n - 1] ?? -1) + 1, at).slice(-2)).toEqual(['flush', 'meta'])
    }
  })
})

/** The last step before an ack is the write of the meta page; before it comes the flush of the rest. */
function stepOf(line: string): 'flush' | 'meta' | 'ack' | null {
  if (/f(data)?sync\(.*data\.mdb/.test(line)) return 'flush'
  if (/pwrite64\(.*data\.mdb.* 128, (40|4136)\)/.test(line)) return 'meta'
  return /write\(1.*room0/.test(line) ? 'ack' : null
}
