/**
 * Walks over the headers of a MessagePack value without building it. A decoder believes the lengths that it reads,
 * and reserves memory for them. Pure.
 *
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import type { ValueLimits } from './value-limits.ts'

interface Head {
  /** Of the header, and of the content if that is no other values. */
  bytes: number
  /** Values that follow as its content. */
  children: number
}

/** Types of one length, with their header. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc0, 1],
  [0xc2, 1],
  [0xc3, 1],
  [0xca, 5],
  [0xcb, 9],
  [0xcc, 2],
  [0xcd, 3],
  [0xce, 5],
  [0xcf, 9],
  [0xd0, 2],
  [0xd1, 3],
  [0xd2, 5],
  [0xd3, 9],
  [0xd4, 3],
  [0xd5, 4],
  [0xd6, 6],
  [0xd7, 10],
  [0xd8, 18],
])

/** Types with a length: bytes of the length, bytes after it that belong to the header, values per element. */
const SIZED: ReadonlyMap<number, readonly [lengthBytes: number, more: number, perElement: number]> = new Map([
  [0xc4, [1, 0, 0]],
  [0xc5, [2, 0, 0]],
  [0xc6, [4, 0, 0]],
  [0xc7, [1, 1, 0]],
  [0xc8, [2, 1, 0]],
  [0xc9, [4, 1, 0]],
  [0xd9, [1, 0, 0]],
  [0xda, [2, 0, 0]],
  [0xdb, [4, 0, 0]],
  [0xdc, [2, 0, 1]],
  [0xdd, [4, 0, 1]],
  [0xde, [2, 0, 2]],
  [0xdf, [4, 0, 2]],
])

/** Whether these bytes are one value, whole, and within the limits. */
export function isMsgpackWithinLimits(bytes: Buffer, { maxDepth, maxValues }: ValueLimits): boolean {
  /** For each open container: values that are still to come. */
  const open: number[] = []
  let at = 0
  let values = 0
  do {
    const head = headAt(bytes, at)
    if (head === undefined) return false
    at += head.bytes
    values += 1
    if (head.children > bytes.length - at || values > maxValues) return false
    if (head.children > 0) open.push(head.children)
    else endValue(open)
    if (open.length > maxDepth) return false
  } while (open.length > 0)
  return at === bytes.length
}

/** A value is whole: so may be the containers around it. */
function endValue(open: number[]): void {
  for (let left = open.pop(); left !== undefined; left = open.pop()) {
    if (left === 1) continue
    open.push(left - 1)
    return
  }
}

function headAt(bytes: Buffer, at: number): Head | undefined {
  const prefix = bytes[at]
  if (prefix === undefined) return undefined
  if (prefix < 0x80 || prefix > 0xdf) return { bytes: 1, children: 0 }
  if (prefix < 0x90) return { bytes: 1, children: 2 * (prefix & 0x0f) }
  if (prefix < 0xa0) return { bytes: 1, children: prefix & 0x0f }
  if (prefix < 0xc0) return { bytes: 1 + (prefix & 0x1f), children: 0 }
  const fixed = FIXED_BYTES.get(prefix)
  return fixed === undefined ? sizedHead(bytes, at, prefix) : { bytes: fixed, children: 0 }
}

function sizedHead(bytes: Buffer, at: number, prefix: number): Head | undefined {
  const sized = SIZED.get(prefix)
  if (sized === undefined) return undefined
  const [lengthBytes, more, perElement] = sized
  if (at + 1 + lengthBytes > bytes.length) return undefined
  const length = bytes.readUIntBE(at + 1, lengthBytes)
  const headBytes = 1 + lengthBytes + more
  return perElement === 0
    ? { bytes: headBytes + length, children: 0 }
    : { bytes: headBytes, children: length * perElement }
}
