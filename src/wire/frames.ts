/**
 * The frames of the link between worker and primary, and their encoding. No I/O.
 *
 * A frame is a length of four bytes, a kind of one byte, then its fields in the order given here. A text is a
 * length of two bytes and UTF-8. `body` is the rest of the frame, opaque to the primary.
 */
import { LENGTH_BYTES } from '../core/byte-frames.ts'
import { ByteWriter } from '../core/byte-writer.ts'

/** Both sides of a link come from one installation. The version gives a clear error if they do not. */
export const LINK_VERSION = 3

export const frameKind = {
  hello: 1,
  welcome: 2,
  subscribe: 3,
  subscribed: 4,
  unsubscribe: 5,
  publish: 6,
  receipt: 7,
  send: 8,
  message: 9,
  entry: 10,
  event: 11,
  member: 12,
  peerGone: 13,
  request: 14,
  reply: 15,
  part: 16,
  messagePart: 17,
  messageAbandoned: 18,
} as const

/** Flags of `publish`. */
export const PUBLISH_VOLATILE = 1

export interface Hello {
  version: number
  name: string
  secret: string
}

export interface Publish {
  /** The worker's reference for the receipt; 0: no receipt wanted. */
  ref: number
  /** May be dropped when a receiver can't keep up. */
  volatile: boolean
  topics: readonly string[]
  /** The receivers count as subscribed to these topics until they have handled this frame. */
  grants: readonly string[]
  body: Buffer
  /** Bytes of the body that follow in `part` frames; 0: this is all. */
  rest: number
}

interface RequestFrame {
  kind: 'request'
  id: number
  method: string
  params: unknown
}

/** `value`: the result, or the error's body. */
interface ReplyFrame {
  kind: 'reply'
  id: number
  ok: boolean
  value: unknown
}

export type WorkerFrame =
  | ({ kind: 'hello' } & Hello)
  | { kind: 'subscribe'; ref: number; group: boolean; topic: string }
  | { kind: 'unsubscribe'; topic: string }
  | ({ kind: 'publish' } & Publish)
  /** The next bytes of the body of the last publication. No other publication comes in between. */
  | { kind: 'part'; body: Buffer }
  | { kind: 'send'; to: string; body: Buffer }
  | RequestFrame
  | ReplyFrame

export type PrimaryFrame =
  | { kind: 'welcome' }
  /** `members`: the other workers in the group, if the topic is one. */
  | { kind: 'subscribed'; ref: number; refused: boolean; members: string[] }
  /** The workers that got the publication. */
  | { kind: 'receipt'; ref: number; workers: string[] }
  /** `rest`: bytes of the body that follow in `messagePart` frames; 0: this is all. */
  | { kind: 'message'; from: string; rest: number; grants: string[]; body: Buffer }
  /** The next bytes of the last message from this worker. */
  | { kind: 'messagePart'; from: string; body: Buffer }
  /** The rest of the last message from this worker does not come. */
  | { kind: 'messageAbandoned'; from: string }
  | { kind: 'entry'; value: unknown }
  | { kind: 'event'; value: unknown }
  | { kind: 'member'; joined: boolean; topic: string; worker: string }
  | { kind: 'peerGone'; worker: string }
  | RequestFrame
  | ReplyFrame

export const helloFrame = ({ version, name, secret }: Hello) =>
  build(frameKind.hello, (frame) => frame.u8(version).text(name).text(secret))

export const welcomeFrame = () => build(frameKind.welcome, (frame) => frame)

export const subscribeFrame = (ref: number, topic: string, group: boolean) =>
  build(frameKind.subscribe, (frame) =>
    frame
      .u32(ref)
      .u8(group ? 1 : 0)
      .text(topic),
  )

export const subscribedFrame = (ref: number, refused: boolean, members: readonly string[]) =>
  build(frameKind.subscribed, (frame) =>
    frame
      .u32(ref)
      .u8(refused ? 1 : 0)
      .texts(members),
  )

export const unsubscribeFrame = (topic: string) => build(frameKind.unsubscribe, (frame) => frame.text(topic))

export const publishFrame = ({ ref, volatile, topics, grants, body, rest }: Publish) =>
  build(frameKind.publish, (frame) =>
    frame
      .u32(ref)
      .u8(volatile ? PUBLISH_VOLATILE : 0)
      .u32(rest)
      .texts(topics)
      .texts(grants)
      .bytes(body),
  )

export const partFrame = (body: Buffer) => build(frameKind.part, (frame) => frame.bytes(body))

/** A publication as one frame, or as several when its body is longer than `partBytes`. */
export function publicationFrames(publication: Omit<Publish, 'rest'>, partBytes: number): Buffer[] {
  const { body } = publication
  const rest = Math.max(0, body.length - partBytes)
  const frames = [publishFrame({ ...publication, body: body.subarray(0, partBytes), rest })]
  for (let at = partBytes; at < body.length; at += partBytes)
    frames.push(partFrame(body.subarray(at, at + partBytes)))
  return frames
}

export const receiptFrame = (ref: number, workers: readonly string[]) =>
  build(frameKind.receipt, (frame) => frame.u32(ref).texts(workers))

export const sendFrame = (to: string, body: Buffer) =>
  build(frameKind.send, (frame) => frame.text(to).bytes(body))

export const messageFrame = (from: string, rest: number, grants: readonly string[], body: Buffer) =>
  build(frameKind.message, (frame) => frame.text(from).u32(rest).texts(grants).bytes(body))

export const messagePartFrame = (from: string, body: Buffer) =>
  build(frameKind.messagePart, (frame) => frame.text(from).bytes(body))

export const messageAbandonedFrame = (from: string) =>
  build(frameKind.messageAbandoned, (frame) => frame.text(from))

export const entryFrame = (entry: unknown) => build(frameKind.entry, (frame) => json(frame, entry))

export const eventFrame = (event: unknown) => build(frameKind.event, (frame) => json(frame, event))

export const memberFrame = (joined: boolean, topic: string, worker: string) =>
  build(frameKind.member, (frame) =>
    frame
      .u8(joined ? 1 : 0)
      .text(topic)
      .text(worker),
  )

export const peerGoneFrame = (worker: string) => build(frameKind.peerGone, (frame) => frame.text(worker))

export const requestFrame = (id: number, method: string, params: unknown) =>
  build(frameKind.request, (frame) => json(frame.u32(id).text(method), params))

export const replyFrame = (id: number, ok: boolean, value: unknown) =>
  build(frameKind.reply, (frame) => json(frame.u32(id).u8(ok ? 1 : 0), value))

function build(kind: number, fill: (frame: ByteWriter) => ByteWriter): Buffer {
  const frame = fill(new ByteWriter().u32(0).u8(kind))
  return frame.patchU32(0, frame.length - LENGTH_BYTES).finish()
}

function json(frame: ByteWriter, value: unknown): ByteWriter {
  return frame.bytes(Buffer.from(JSON.stringify(value ?? null)))
}
