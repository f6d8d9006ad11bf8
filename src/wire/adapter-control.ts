/**
 * Messages between adapters that are not broadcasts of a worker: a structured clone, so that Buffers, Maps, Dates
 * and undefined keep their type. Workers send them to each other; the primary sends what comes from outside.
 */
import { serialize } from 'node:v8'
import { ByteWriter } from '../core/byte-writer.ts'

/** The first byte. The other kinds are the workers' own (`worker/adapter/codec.ts`). */
export const CONTROL = 2

/** Throws a DataCloneError when the message has no structured clone: functions, proxies. */
export function encodeControl(nsp: string, message: unknown): Buffer {
  return new ByteWriter().u8(CONTROL).longText(nsp).bytes(serialize(message)).finish()
}
