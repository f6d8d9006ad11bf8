/**
 * Tells whether bytes are one whole MessagePack value, without making it: decoders set memory aside for whatever length a
 * few bytes claim. Extensions are refused. https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/** Deeper nesting is refused: decoders call themselves. */
const MAX_DEPTH = 16

/** Bytes of the value behind a prefix from 0xc0 on, where that is fixed. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0xc0: 0,
  0xc2: 0,
  0xc3: 0,
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
}

/** Where bytes, or values, are counted behind the prefix: in how many bytes, and what one of them stands for. */
const COUNTED: Readonly<Record<number, { width: 1 | 2 | 4; of: 'bytes' | 'items' | 'pairs' }>> = {
  0xc4: { width: 1, of: 'bytes' },
  0xc5: { width: 2, of: 'bytes' },
  0xc6: { width: 4, of: 'bytes' },
  0xd9: { width: 1, of: 'bytes' },
  0xda: { width: 2, of: 'bytes' },
  0xdb: { width: 4, of: 'bytes' },
  0xdc: { width: 2, of: 'items' },
  0xdd: { width: 4, of: 'items' },
  0xde: { width: 2, of: 'pairs' },
  0xdf: { width: 4, of: 'pairs' },
}

export function isWholeMsgpack(bytes: Buffer): boolean {
  return skipValue(bytes, 0, 0) === bytes.length
}

/** @returns where the value at `at` ends; `-1` when it does not, or may not be */
function skipValue(bytes: Buffer, at: number, depth: number): number {
  const prefix = bytes[at]
  if (prefix === undefined || depth > MAX_DEPTH) return -1
  const next = at + 1
  if (prefix < 0x80 || prefix > 0xdf) return next
  if (prefix < 0x90) return skipItems(bytes, next, { count: (prefix & 0x0f) * 2, depth })
  if (prefix < 0xa0) return skipItems(bytes, next, { count: prefix & 0x0f, depth })
  if (prefix < 0xc0) return within(bytes, next + (prefix & 0x1f))
  const fixed = FIXED_BYTES[prefix]
  if (fixed !== undefined) return within(bytes, next + fixed)
  return skipCounted(bytes, at, depth)
}

function skipCounted(bytes: Buffer, at: number, depth: number): number {
  const counted = COUNTED[bytes[at] ?? 0]
  const from = at + 1 + (counted?.width ?? 0)
  if (counted === undefined || from > bytes.length) return -1
  const count = bytes.readUIntBE(at + 1, counted.width)
  if (counted.of === 'bytes') return within(bytes, from + count)
  return skipItems(bytes, from, { count: counted.of === 'pairs' ? count * 2 : count, depth })
}

function skipItems(bytes: Buffer, at: number, { count, depth }: { count: number; depth: number }): number {
  // Each takes a byte at least.
  if (count > bytes.length - at) return -1
  let end = at
  for (let item = 0; item < count && end !== -1; item += 1) end = skipValue(bytes, end, depth + 1)
  return end
}

function within(bytes: Buffer, end: number): number {
  return end <= bytes.length ? end : -1
}
