/** Processes that open the embedded log while it is being written do no harm to it (OpenLDAP's ITS#9496). */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbeddedReader } from '../../src/log/embedded-reader.ts'
import { committedTransaction } from '../../src/log/environment.ts'
import { LogDirectory } from './log-directory.ts'
import { LogProcess } from './log-process.ts'
import { text } from './log-under-test.ts'

const APPENDS = 2_500
const OPENERS = 3

let directory: LogDirectory
beforeEach(async () => {
  directory = await LogDirectory.ordinary()
})
afterEach(() => directory.dispose())

/** Not in this process: closing a descriptor of a file drops all the process's locks on it. */
function lowerTransactionCount(commits: number): number {
  const script = fileURLToPath(new URL('../fixtures/log/stale-transactions.js', import.meta.url))
  return Number(execFileSync(process.execPath, [script, directory.path, String(commits)]))
}

const staleTransactions = async (registry: Registry) =>
  (await registry.getSingleMetric('rookery_log_turned_back_total')?.get())?.values[0]?.value

describe('a log that other processes open', () => {
  it.each([1, 2, 3])('builds on the newest commit although the count is %i behind', async (commits) => {
    const registry = new Registry()
    const log = await directory.openLog({ registry })
    for (let n = 1; n <= 5; n += 1) await log.append('den', text(`m${n}`))
    expect(lowerTransactionCount(commits)).toBe(committedTransaction(directory.path))
    expect((await log.append('den', text('m6'))).seq).toBe(6)
    expect((await log.append('den', text('m5'))).duplicate).toBe(true)
    expect((await log.append('den', text('m7'))).seq).toBe(7)
    const { entries } = await log.read('den', { after: 0, limit: Infinity })
    expect(entries.map(({ id }) => id)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'])
    expect(await staleTransactions(registry)).toBe(1)
  })

  it('shows readers the newest commit again once it learns that a process has opened it', async () => {
    const log = await directory.openLog()
    for (let n = 1; n <= 3; n += 1) await log.append('den', text(`m${n}`))
    const reader = await openEmbeddedReader({ directory: directory.path })
    directory.closeAtEnd(reader)
    lowerTransactionCount(1)
    await log.refreshReaders()
    expect(await reader.head('den')).toMatchObject({ head: 3 })
    expect(lowerTransactionCount(0)).toBe(committedTransaction(directory.path))
  })

  it('keeps every entry while processes open and close it all the time', async () => {
    const log = await directory.openLog()
    await log.append('den', text('m1'))
    const openers = Array.from({ length: OPENERS }, () => {
      const opener = new LogProcess('opener', [directory.path])
      directory.closeAtEnd(opener)
      return opener
    })
    for (const opener of openers) expect(await opener.line()).toBe('opened')
    for (let n = 2; n <= APPENDS; n += 1) {
      const { seq } = await log.append('den', text(`m${n}`))
      if (seq !== n) expect(seq).toBe(n)
    }
    for (const opener of openers) await opener.finish()
    const { entries } = await log.read('den', { after: 0, limit: Infinity })
    expect(entries.map(({ seq, id }) => `${seq} ${id}`)).toEqual(
      Array.from({ length: APPENDS }, (_, n) => `${n + 1} m${n + 1}`),
    )
  })
})
