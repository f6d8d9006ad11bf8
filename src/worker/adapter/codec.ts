/**
 * The bodies that adapters send each other over the link, and their bytes. A broadcast carries the packets as their
 * sender has encoded them; everything else is a structured clone (Buffers, Maps, Dates and undefined keep their kind).
 */
import { deserialize, serialize } from 'node:v8'
import { FrameError } from '../../core/byte-frames.ts'
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'

const BROADCAST = 1
const CONTROL = 2

const VOLATILE = 1
const COMPRESS_SAID = 2
const COMPRESS = 4
const ASKS = 8

const TEXT = 0
const BYTES = 1
const NUMBER = 2

/** Socket.IO's types say string; numbers work on one server, and so they do here. */
export type RoomKey = string | number

export interface BroadcastFlags {
  volatile: boolean
  compress: boolean | undefined
}

export interface BroadcastBody {
  kind: 'broadcast'
  nsp: string
  rooms: readonly RoomKey[]
  except: readonly RoomKey[]
  flags: BroadcastFlags
  /** Present when the clients' acknowledgements are wanted. */
  ask: { id: string; timeoutMs: number } | undefined
  /** What the namespace's encoder made of the packet. */
  packets: readonly (string | Buffer)[]
}

export interface ControlBody {
  kind: 'control'
  nsp: string
  /** Not checked yet. */
  message: unknown
}

/** Throws a TypeError for a room or an attachment that can't be sent. */
export function encodeBroadcast(body: Omit<BroadcastBody, 'kind'>): Buffer {
  const { nsp, rooms, except, flags, ask, packets } = body
  const writer = new ByteWriter()
    .u8(BROADCAST)
    .longText(nsp)
    .u8(flagBits(flags, ask !== undefined))
  if (ask !== undefined) writer.text(ask.id).u32(ask.timeoutMs)
  putRooms(writer, rooms)
  putRooms(writer, except)
  writer.u32(packets.length)
  for (const packet of packets) putPacket(writer, packet)
  return writer.finish()
}

/** Throws a DataCloneError for what has no structured clone: functions, proxies. */
export function encodeControl(nsp: string, message: unknown): Buffer {
  return new ByteWriter().u8(CONTROL).longText(nsp).bytes(serialize(message)).finish()
}

/** Throws a `FrameError` for anything that neither of the above has made. */
export function decodeBody(bytes: Buffer): BroadcastBody | ControlBody {
  const reader = new ByteReader(bytes)
  const kind = reader.u8()
  const nsp = reader.longText()
  if (kind === BROADCAST) return takeBroadcast(reader, nsp)
  if (kind === CONTROL) return { kind: 'control', nsp, message: clone(reader.rest()) }
  throw new FrameError(`unknown body ${kind}`)
}

function takeBroadcast(reader: ByteReader, nsp: string): BroadcastBody {
  const bits = reader.u8()
  const ask = (bits & ASKS) === 0 ? undefined : { id: reader.text(), timeoutMs: reader.u32() }
  const body: BroadcastBody = {
    kind: 'broadcast',
    nsp,
    flags: {
      volatile: (bits & VOLATILE) !== 0,
      compress: (bits & COMPRESS_SAID) === 0 ? undefined : (bits & COMPRESS) !== 0,
    },
    ask,
    rooms: takeList(reader, takeRoom),
    except: takeList(reader, takeRoom),
    packets: takeList(reader, takePacket),
  }
  reader.end()
  return body
}

function flagBits({ volatile, compress }: BroadcastFlags, asks: boolean): number {
  const said = compress === undefined ? 0 : COMPRESS_SAID | (compress ? COMPRESS : 0)
  return (volatile ? VOLATILE : 0) | said | (asks ? ASKS : 0)
}

function putRooms(writer: ByteWriter, rooms: readonly RoomKey[]): void {
  writer.u32(rooms.length)
  for (const room of rooms) {
    if (typeof room === 'string') writer.u8(TEXT).longText(room)
    else if (typeof room === 'number') writer.u8(NUMBER).longText(String(room))
    else throw new TypeError(`a room is a string or a number, not a ${typeof room}`)
  }
}

function takeRoom(reader: ByteReader): RoomKey {
  const kind = reader.u8()
  const text = reader.longText()
  if (kind === TEXT) return text
  if (kind === NUMBER) return Number(text)
  throw new FrameError(`unknown kind of room ${kind}`)
}

/** Attachments are whatever the encoder takes for binary; on the link they are all bytes. */
function putPacket(writer: ByteWriter, packet: unknown): void {
  if (typeof packet === 'string') writer.u8(TEXT).longText(packet)
  else if (packet instanceof ArrayBuffer) writer.u8(BYTES).longBytes(new Uint8Array(packet))
  else if (ArrayBuffer.isView(packet))
    writer.u8(BYTES).longBytes(new Uint8Array(packet.buffer, packet.byteOffset, packet.byteLength))
  else throw new TypeError('an attachment that is neither a Buffer nor an ArrayBuffer nor a view of one')
}

/** Attachments are copied: a view would keep all that came in with them until the slowest client has read it. */
function takePacket(reader: ByteReader): string | Buffer {
  const kind = reader.u8()
  if (kind === TEXT) return reader.longText()
  if (kind === BYTES) return Buffer.from(reader.longBytes())
  throw new FrameError(`unknown kind of packet ${kind}`)
}

function takeList<T>(reader: ByteReader, take: (reader: ByteReader) => T): T[] {
  const count = reader.u32()
  const items: T[] = []
  for (let index = 0; index < count; index += 1) items.push(take(reader))
  return items
}

function clone(bytes: Buffer): unknown {
  try {
    return deserialize(bytes)
  } catch (error) {
    throw new FrameError(`not a structured clone: ${String(error)}`)
  }
}
