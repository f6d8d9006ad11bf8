/** The embedded log on failing disks: it refuses as unavailable, leaves no trace, and recovers by itself. */
import { readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { EmbeddedLog } from '../../src/log/embedded-log.ts'
import { openEmbeddedReader } from '../../src/log/embedded-reader.ts'
import { openForWriting } from '../../src/log/environment.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import { until } from '../harness/until.ts'
import { canMount, LogDirectory } from './log-directory.ts'
import { refused, text } from './log-under-test.ts'

const directories: LogDirectory[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await directory.dispose()
})
async function kept(directory: Promise<LogDirectory>): Promise<LogDirectory> {
  const made = await directory
  directories.push(made)
  return made
}

/** The health reports of the log so far. */
function healthOf(log: EmbeddedLog): (string | null)[] {
  const told: (string | null)[] = []
  log.onHealth((reason) => told.push(reason))
  return told
}

/** Writes three entries each in this room and in `good`, then deletes one without the log noticing. */
async function damagedRoom(directory: LogDirectory, room: string, seq = 1): Promise<void> {
  const log = await directory.openLog()
  for (const id of ['m1', 'm2', 'm3'])
    await Promise.all([room, 'good'].map((one) => log.append(one, text(id))))
  await log.close()
  const { root, entries } = openForWriting(directory.path)
  entries.removeSync([room, seq])
  await root.close()
}

const twoDaysOn = () => Date.now() + 2 * 86_400_000

async function appendUntilStored(log: EmbeddedLog, id: string) {
  const tries: unknown[] = []
  await until(async () => {
    try {
      tries.push(await log.append('den', text(id, 'after the trouble')))
      return true
    } catch (error) {
      expect(error).toEqual(refused('unavailable'))
      return false
    }
  }, 'an append that is stored')
  return tries.at(-1)
}

describe('the embedded log on an ordinary disk', () => {
  it('continues where it was after a restart', async () => {
    const directory = await kept(LogDirectory.ordinary())
    const before = await directory.openLog()
    await before.append('den', text('m1'))
    const { epoch } = await before.head('den')
    await before.close()
    await expect(before.append('den', text('m2'))).rejects.toEqual(refused('unavailable'))

    const after = await directory.openLog()
    expect(await after.append('den', text('m1'))).toMatchObject({ seq: 1, duplicate: true })
    expect(await after.append('den', text('m2'))).toMatchObject({ seq: 2, duplicate: false })
    expect((await after.head('den')).epoch).toBe(epoch)
  })

  it('refuses appends when its queue is full, and keeps the rest dense', async () => {
    const directory = await kept(LogDirectory.ordinary())
    const log = await directory.openLog({ limits: { queuedJobs: 10, batchJobs: 4 } })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => log.append('den', text(`m${n}`))),
    )
    const stored = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.seq] : []))
    expect(stored).toEqual(Array.from({ length: 10 }, (_, n) => n + 1))
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      expect(outcome.reason).toEqual(refused('unavailable'))
      expect(outcome.reason.retryAfterMs).toBeGreaterThan(0)
    }
    expect(await log.append('den', text('m49'))).toMatchObject({ seq: 11 })
  })

  it('finishes pending requests before it closes', async () => {
    const directory = await kept(LogDirectory.ordinary())
    const log = await directory.openLog({ limits: { batchJobs: 3 } })
    const appends = Array.from({ length: 10 }, (_, n) => log.append('den', text(`m${n}`)))
    await log.close()
    expect((await Promise.all(appends)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('refuses the failing part of a batch, leaves no trace of it, and stores the rest', async () => {
    const directory = await kept(LogDirectory.ordinary())
    await damagedRoom(directory, 'bad')
    const log = await directory.openLog({ retention: { messages: 3, days: Infinity } })
    const health = healthOf(log)
    const told: string[] = []
    log.onEntry(({ room, seq }) => told.push(`${room} ${seq}`))
    const rooms = ['good', 'bad', 'good', 'bad', 'other']
    const outcomes = await Promise.allSettled(rooms.map((room, n) => log.append(room, text(`n${n}`))))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(outcomes[1]).toEqual({ status: 'rejected', reason: refused('internal') })
    expect(told).toEqual(['good 4', 'good 5', 'other 1'])
    expect(health).toEqual([null])
    expect((await log.head('bad')).head).toBe(3)
    await log.trackRoom('ann', 'bad')
    expect(health).toEqual([null])

    await log.close()
    const roomier = await directory.openLog()
    expect(await roomier.append('bad', text('n1'))).toMatchObject({ seq: 4, duplicate: false })
  })

  it('reads and trims the other rooms when one is damaged', async () => {
    const directory = await kept(LogDirectory.ordinary())
    await damagedRoom(directory, 'bad', 2)
    const log = await directory.openLog({ retention: { messages: Infinity, days: 1 }, clock: twoDaysOn })
    const reader = await openEmbeddedReader({ directory: directory.path })
    directory.closeAtEnd(reader)
    for (const each of [log, reader]) {
      await expect(each.read('bad', { limit: 9, newest: true })).rejects.toEqual(refused('internal'))
      expect((await each.read('good', { limit: 9, newest: true })).entries).toHaveLength(3)
    }
    expect(await log.sweep()).toEqual({ trimmed: 3, done: true })
    expect(await log.head('good')).toMatchObject({ head: 3, first: 4 })
    expect(await log.head('bad')).toMatchObject({ head: 3, first: 1 })
  })

  it('is polled by a reader less and less often while it cannot be opened', async () => {
    const directory = await kept(LogDirectory.ordinary())
    const path = join(directory.path, 'data.mdb')
    await (await directory.openLog()).append('den', text('m1'))
    const whole = await readFile(path)
    await writeFile(`${path}.spoilt`, Buffer.alloc(whole.length, 'not a log '))
    await rename(`${path}.spoilt`, path)
    let nowMs = 0
    const reader = await openEmbeddedReader({ directory: directory.path, nowMs: () => nowMs })
    directory.closeAtEnd(reader)
    const reads = async () => (await Promise.allSettled([reader.head('den')]))[0]?.status === 'fulfilled'
    expect(await reads()).toBe(false)
    nowMs = 250
    expect(await reads()).toBe(false)
    await writeFile(`${path}.whole`, whole)
    await rename(`${path}.whole`, path)
    nowMs = 749
    expect(await reads()).toBe(false)
    nowMs = 750
    expect(await reads()).toBe(true)
  })

  it('passes an entry to every listener, even when another listener throws', async () => {
    const log = await (await kept(LogDirectory.ordinary())).openLog()
    const told: number[] = []
    log.onEntry(() => {
      throw new Error('a listener of the test')
    })
    log.onEntry(({ seq }) => told.push(seq))
    await log.append('den', text('m1'))
    expect(told).toEqual([1])
  })

  it.each([
    ['cut in half', (whole: Buffer) => whole.subarray(0, Math.floor(whole.length / 8192) * 4096)],
    ['cut within the first page', (whole: Buffer) => whole.subarray(0, 100)],
    ['full of something else', (whole: Buffer) => Buffer.alloc(whole.length, 'not a log ')],
  ])('reports what is wrong with a data file %s, and works when it is repaired', async (_, spoil) => {
    const directory = await kept(LogDirectory.ordinary())
    const path = join(directory.path, 'data.mdb')
    const before = await directory.openLog()
    await Promise.all(
      Array.from({ length: 1_000 }, (__, n) => before.append('den', text(`m${n}`, 'x'.repeat(500)))),
    )
    await before.close()
    const whole = await readFile(path)
    await writeFile(path, spoil(whole))

    const log = await directory.openLog()
    const health = healthOf(log)
    expect(health).toEqual([expect.stringMatching(/./)])
    await expect(log.append('den', text('m1000'))).rejects.toEqual(refused('unavailable'))
    await writeFile(`${path}.whole`, whole)
    await rename(`${path}.whole`, path)
    await until(() => health.at(-1) === null, 'the log works again')
    expect(await log.append('den', text('m1000'))).toMatchObject({ seq: 1_001 })
  })

  it('starts a new epoch when the data file was emptied', async () => {
    const directory = await kept(LogDirectory.ordinary())
    const before = await directory.openLog()
    await before.append('den', text('m1'))
    const { epoch } = await before.head('den')
    await before.close()
    await truncate(join(directory.path, 'data.mdb'), 0)
    const after = await (await directory.openLog()).head('den')
    expect(after.head).toBe(0)
    expect(after.epoch).not.toBe(epoch)
  })
})

describe.skipIf(!canMount())('the embedded log on its own disk (needs to mount)', () => {
  it('refuses while the disk is full, leaves no trace, and continues when there is space', async () => {
    const directory = await kept(LogDirectory.disk('size=2m'))
    const log = await directory.openLog()
    const health = healthOf(log)
    const told: number[] = []
    log.onEntry(({ seq }) => told.push(seq))
    let refusal: unknown = null
    let stored = 0
    while (refusal === null) {
      const batch = Array.from({ length: 20 }, (_, n) =>
        log.append('den', text(`m${stored + n}`, 'x'.repeat(2_000))),
      )
      for (const outcome of await Promise.allSettled(batch)) {
        if (outcome.status === 'fulfilled') stored = outcome.value.seq
        else refusal = outcome.reason
      }
    }
    expect(refusal).toEqual(refused('unavailable'))
    expect(refusal instanceof RookeryError && refusal.retryable && refusal.retryAfterMs).toBeGreaterThan(0)
    expect(health.at(-1)).toMatch(/no space left/)
    expect(told).toEqual(Array.from({ length: stored }, (_, n) => n + 1))

    directory.remount('size=16m')
    expect(await appendUntilStored(log, 'later')).toMatchObject({ seq: stored + 1, duplicate: false })
    await until(() => health.at(-1) === null, 'the log works again')
    expect(told.at(-1)).toBe(stored + 1)
    const { entries, head } = await log.read('den', { after: 0, limit: Infinity })
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, n) => n + 1))
    expect(entries.at(-1)?.id).toBe('later')
  })

  it('starts on a read-only disk as failing, and works once it can write', async () => {
    const directory = await kept(LogDirectory.disk('size=4m,ro'))
    const log = await directory.openLog()
    const health = healthOf(log)
    expect(health).toEqual([expect.stringMatching(/read-only/i)])
    await expect(log.append('den', text('m1'))).rejects.toEqual(refused('unavailable'))
    await expect(log.head('den')).rejects.toEqual(refused('unavailable'))
    directory.remount('rw')
    expect(await appendUntilStored(log, 'm1')).toMatchObject({ seq: 1 })
    expect(health.at(-1)).toBe(null)
  })
})
