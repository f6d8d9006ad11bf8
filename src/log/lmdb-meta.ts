/**
 * How long an LMDB data file must be, read from the bytes of its two meta pages. Pure: no I/O. It knows just enough of
 * the format for that; anything it does not recognise counts as a length of 0 and is left for LMDB to refuse.
 */

/** Enough to see both meta pages at the largest page size LMDB has. */
export const META_BYTES = 2 * 65_536

const MAGIC = 0xbeefc0de
/** Offsets from the magic number on, in the layout of data version 2. */
const PAGE_SIZE = 24
const LAST_PAGE = 120
const TRANSACTION = 128
const META_END = 136
/** The magic number follows a page header of at most so many bytes. */
const HEADER_MAX = 32

export function lmdbExtentBytes(start: Buffer): number {
  const first = metaAt(start, 0)
  if (first === null) return 0
  const second = metaAt(start, first.pageBytes)
  const newest = second !== null && second.transaction > first.transaction ? second : first
  return (newest.lastPage + 1) * newest.pageBytes
}

function metaAt(bytes: Buffer, page: number) {
  for (let at = page; at <= page + HEADER_MAX && at + META_END <= bytes.length; at += 4) {
    if (bytes.readUInt32LE(at) !== MAGIC) continue
    return {
      pageBytes: bytes.readUInt32LE(at + PAGE_SIZE),
      lastPage: Number(bytes.readBigUInt64LE(at + LAST_PAGE)),
      transaction: Number(bytes.readBigUInt64LE(at + TRANSACTION)),
    }
  }
  return null
}
