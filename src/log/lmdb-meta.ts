/**
 * Parses the two meta pages of an LMDB data file: required length of the file, and number of the last commit.
 * Also recognizes a data file: lmdb-js crashes on a file whose meta pages LMDB refuses, so other files must
 * not be opened. Pure.
 */

/** Covers both meta pages at the largest page size of LMDB. */
export const META_BYTES = 2 * 65_536

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
/** Offsets from the magic number. */
const VERSION = 4
const PAGE_SIZE = 24
const LAST_PAGE = 120
const TRANSACTION = 128
const META_END = 136
/** The magic number follows a page header of at most this many bytes. */
const HEADER_MAX = 32

/** @returns `null` if this is not the start of an LMDB data file */
export function lmdbExtentBytes(start: Buffer): number | null {
  const newest = newestMeta(start)
  return newest === null ? null : (newest.lastPage + 1) * newest.pageBytes
}

/** @returns the number of the newest transaction; `null` if this is not the start of an LMDB data file */
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
