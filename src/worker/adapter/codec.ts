/**
 * Encodes and decodes the messages that adapters send each other over the link. A broadcast carries the
 * packets as the sender encoded them. Everything else is a structured clone: Buffers, Maps, Dates and
 * undefined keep their type.
 */
import { deserialize } from 'node:v8'
import { FrameError } from '../../core/byte-frames.ts'
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import { CONTROL } from '../../wire/adapter-control.ts'
import type { RoomKey } from '../../wire/topics.ts'
import type { DeliveryFlags } from '../connections/index.ts'

const BROADCAST = 1
const ANSWER = 3

/** The steps in which a long answer is sent, in the order of their numbers. */
const STEPS = ['offer', 'ask', 'piece', 'refuse', 'lost'] as const

const VOLATILE = 1
const COMPRESS_SET = 2
const COMPRESS = 4
const WANTS_ACKS = 8

const TEXT = 0
const BYTES = 1
const NUMBER = 2

export interface BroadcastBody {
  kind: 'broadcast'
  nsp: string
  rooms: readonly RoomKey[]
  except: readonly RoomKey[]
  flags: DeliveryFlags
  /** Set when the clients are to acknowledge. */
  ackRequest: { id: string; timeoutMs: number } | undefined
  /** The packet as encoded by the namespace's encoder. */
  packets: readonly (string | Buffer)[]
}

export interface ControlBody {
  kind: 'control'
  nsp: string
  /** Not checked yet. */
  message: unknown
}

/** The receiver of a long answer asks for its pieces. `id` is unique on the worker that answers. */
export type AnswerStep =
  | { step: 'offer'; id: number; bytes: number }
  | { step: 'ask'; id: number; at: number }
  | { step: 'piece'; id: number; at: number; body: Buffer }
  /** The receiver does not want it. */
  | { step: 'refuse'; id: number }
  /** The sender does not have it any more. */
  | { step: 'lost'; id: number }

export interface AnswerBody {
  kind: 'answer'
  step: AnswerStep
}

/** Throws a TypeError for a room or an attachment of the wrong type. */
export function encodeBroadcast(body: Omit<BroadcastBody, 'kind'>): Buffer {
  const { nsp, rooms, except, flags, ackRequest, packets } = body
  const writer = new ByteWriter()
    .u8(BROADCAST)
    .longText(nsp)
    .u8(flagBits(flags, ackRequest !== undefined))
  if (ackRequest !== undefined) writer.text(ackRequest.id).u32(ackRequest.timeoutMs)
  writeRooms(writer, rooms)
  writeRooms(writer, except)
  writer.u32(packets.length)
  for (const packet of packets) writePacket(writer, packet)
  return writer.finish()
}

export function encodeAnswerStep(step: AnswerStep): Buffer {
  const writer = new ByteWriter().u8(ANSWER).u8(STEPS.indexOf(step.step)).u32(step.id)
  if (step.step === 'offer') writer.u32(step.bytes)
  if (step.step === 'ask') writer.u32(step.at)
  if (step.step === 'piece') writer.u32(step.at).bytes(step.body)
  return writer.finish()
}

/** Throws a `FrameError` for bytes that none of the encoders makes. */
export function decodeBody(bytes: Buffer): BroadcastBody | ControlBody | AnswerBody {
  const reader = new ByteReader(bytes)
  const kind = reader.u8()
  if (kind === ANSWER) return { kind: 'answer', step: readAnswerStep(reader) }
  const nsp = reader.longText()
  if (kind === BROADCAST) return readBroadcast(reader, nsp)
  if (kind === CONTROL) return { kind: 'control', nsp, message: clone(reader.rest()) }
  throw new FrameError(`unknown body ${kind}`)
}

function readBroadcast(reader: ByteReader, nsp: string): BroadcastBody {
  const bits = reader.u8()
  const ackRequest = (bits & WANTS_ACKS) === 0 ? undefined : { id: reader.text(), timeoutMs: reader.u32() }
  const body: BroadcastBody = {
    kind: 'broadcast',
    nsp,
    flags: {
      volatile: (bits & VOLATILE) !== 0,
      compress: (bits & COMPRESS_SET) === 0 ? undefined : (bits & COMPRESS) !== 0,
    },
    ackRequest,
    rooms: readList(reader, readRoom),
    except: readList(reader, readRoom),
    packets: readList(reader, readPacket),
  }
  reader.end()
  return body
}

function readAnswerStep(reader: ByteReader): AnswerStep {
  const step = STEPS[reader.u8()]
  const id = reader.u32()
  switch (step) {
    case 'offer':
      return { step, id, bytes: reader.u32() }
    case 'ask':
      return { step, id, at: reader.u32() }
    case 'piece':
      return { step, id, at: reader.u32(), body: reader.rest() }
    case 'refuse':
    case 'lost':
      return { step, id }
    default:
      throw new FrameError('unknown step of an answer')
  }
}

function flagBits({ volatile, compress }: DeliveryFlags, wantsAcks: boolean): number {
  const compressBits = compress === undefined ? 0 : COMPRESS_SET | (compress ? COMPRESS : 0)
  return (volatile ? VOLATILE : 0) | compressBits | (wantsAcks ? WANTS_ACKS : 0)
}

function writeRooms(writer: ByteWriter, rooms: readonly RoomKey[]): void {
  writer.u32(rooms.length)
  for (const room of rooms) {
    if (typeof room === 'string') writer.u8(TEXT).longText(room)
    else if (typeof room === 'number') writer.u8(NUMBER).longText(String(room))
    else throw new TypeError(`a room is a string or a number, not a ${typeof room}`)
  }
}

function readRoom(reader: ByteReader): RoomKey {
  const kind = reader.u8()
  const text = reader.longText()
  if (kind === TEXT) return text
  if (kind === NUMBER) return Number(text)
  throw new FrameError(`unknown type of room ${kind}`)
}

/** An attachment is anything that the encoder takes for binary. On the link it is plain bytes. */
function writePacket(writer: ByteWriter, packet: unknown): void {
  if (typeof packet === 'string') writer.u8(TEXT).longText(packet)
  else if (packet instanceof ArrayBuffer) writer.u8(BYTES).longBytes(new Uint8Array(packet))
  else if (ArrayBuffer.isView(packet))
    writer.u8(BYTES).longBytes(new Uint8Array(packet.buffer, packet.byteOffset, packet.byteLength))
  else throw new TypeError('an attachment must be a Buffer, an ArrayBuffer or a view of one')
}

/**
 * Copies attachments: a view would keep the whole received chunk in memory until the slowest client has read
 * it.
 */
function readPacket(reader: ByteReader): string | Buffer {
  const kind = reader.u8()
  if (kind === TEXT) return reader.longText()
  if (kind === BYTES) return Buffer.from(reader.longBytes())
  throw new FrameError(`unknown type of packet ${kind}`)
}

function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const count = reader.u32()
  const items: T[] = []
  for (let index = 0; index < count; index += 1) items.push(read(reader))
  return items
}

function clone(bytes: Buffer): unknown {
  try {
    return deserialize(bytes)
  } catch (error) {
    throw new FrameError(`not a structured clone: ${String(error)}`)
  }
}
