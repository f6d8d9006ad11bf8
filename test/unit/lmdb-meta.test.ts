import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { open } from 'lmdb'
import { describe, expect, it } from 'vitest'
import { lmdbExtentBytes, lmdbTransaction, META_BYTES } from '../../src/log/lmdb-meta.ts'

describe('the size and the newest transaction of an LMDB data file', () => {
  it.each([4_096, 16_384])('match what LMDB itself reports, with pages of %i bytes', async (pageSize) => {
    const directory = await mkdtemp(join(tmpdir(), 'rookery-meta-'))
    const root = open({ path: directory, noSubdir: false, overlappingSync: false, pageSize })
    for (let n = 0; n < 50; n += 1) await root.put(n, 'x'.repeat(3_000))
    const stats = root.getStats() as { lastPageNumber: number; lastTxnId: number }
    await root.close()
    const path = join(directory, 'data.mdb')
    const start = (await readFile(path)).subarray(0, META_BYTES)
    expect(lmdbExtentBytes(start)).toBe((stats.lastPageNumber + 1) * pageSize)
    expect([lmdbTransaction(start), stats.lastTxnId >= 50]).toEqual([stats.lastTxnId, true])
    expect((await stat(path)).size).toBeGreaterThanOrEqual(50 * 3_000)
    expect(lmdbExtentBytes(start.subarray(0, pageSize))).toBe(null)
    await rm(directory, { recursive: true })
  })

  it('are not found in other data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(lmdbExtentBytes(Buffer.from(bytes))).toBe(null)
        expect(lmdbTransaction(Buffer.from(bytes))).toBe(null)
      }),
    )
  })
})
