/**
 * How long an LMDB data file must be, and what was committed last, read from the bytes of its two meta pages. Pure: no I/O. It knows just enough of
 * the format for that, and to tell a data file from anything else: lmdb-js crashes on a file whose meta pages LMDB
 * refuses, so nothing else may be given to it.
 */

/** Enough to see both meta pages at the largest page size LMDB has. */
export const META_BYTES = 2 * 65_536

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
/** Offsets from the magic number on. */
const VERSION = 4
const PAGE_SIZE = 24
const LAST_PAGE = 120
const TRANSACTION = 128
const META_END = 136
/** The magic number follows a page header of at most so many bytes. */
const HEADER_MAX = 32

/** @returns `null` when this is not how an LMDB data file starts */
export function lmdbExtentBytes(start: Buffer): number | null {
  const newest = newestMeta(start)
  return newest === null ? null : (newest.lastPage + 1) * newest.pageBytes
}

/** @returns the number of the newest transaction; `null` when this is not how an LMDB data file starts */
export function lmdbTransaction(start: Buffer): number | null {
  return newestMeta(start)?.transaction ?? null
}

function newestMeta(start: Buffer) {
  const first = metaAt(start, 0)
  const second = first === null ? null : metaAt(start, first.pageBytes)
  if (first === null || second === null) return null
  return second.transaction > first.transaction ? second : first
}

function metaAt(bytes: Buffer, page: number) {
  for (let at = page; at <= page + HEADER_MAX && at + META_END <= bytes.length; at += 4) {
    if (bytes.readUInt32LE(at) !== MAGIC || bytes.readUInt32LE(at + VERSION) !== DATA_VERSION) continue
    return {
      pageBytes: bytes.readUInt32LE(at + PAGE_SIZE),
      lastPage: Number(bytes.readBigUInt64LE(at + LAST_PAGE)),
      transaction: Number(bytes.readBigUInt64LE(at + TRANSACTION)),
    }
  }
  return null
}
