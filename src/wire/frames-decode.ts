/** Decodes the frames of the link. Throws a `FrameError` for anything else. */
import { FrameError } from '../core/byte-frames.ts'
import { ByteReader } from '../core/byte-reader.ts'
import type { PrimaryFrame, WorkerFrame } from './frames.ts'
import { frameKind, PUBLISH_VOLATILE } from './frames.ts'

/** @param bytes a frame without its length bytes */
export function decodeWorkerFrame(bytes: Buffer): WorkerFrame {
  const frame = new ByteReader(bytes)
  const kind = frame.u8()
  switch (kind) {
    case frameKind.hello:
      return whole(frame, { kind: 'hello', version: frame.u8(), name: frame.text(), secret: frame.text() })
    case frameKind.subscribe:
      return whole(frame, {
        kind: 'subscribe',
        ref: frame.u32(),
        group: frame.u8() === 1,
        topic: frame.text(),
      })
    case frameKind.unsubscribe:
      return whole(frame, { kind: 'unsubscribe', topic: frame.text() })
    case frameKind.part:
      return { kind: 'part', body: frame.rest() }
    case frameKind.publish:
      return {
        kind: 'publish',
        ref: frame.u32(),
        volatile: (frame.u8() & PUBLISH_VOLATILE) !== 0,
        rest: frame.u32(),
        topics: frame.texts(),
        grants: frame.texts(),
        body: frame.rest(),
      }
    case frameKind.send:
      return { kind: 'send', to: frame.text(), body: frame.rest() }
    default:
      return decodeCall(kind, frame)
  }
}

/** @param bytes a frame without its length bytes */
export function decodePrimaryFrame(bytes: Buffer): PrimaryFrame {
  const frame = new ByteReader(bytes)
  const kind = frame.u8()
  switch (kind) {
    case frameKind.message:
      return {
        kind: 'message',
        from: frame.text(),
        rest: frame.u32(),
        grants: frame.texts(),
        body: frame.rest(),
      }
    case frameKind.messagePart:
      return { kind: 'messagePart', from: frame.text(), body: frame.rest() }
    case frameKind.entry:
      return { kind: 'entry', value: json(frame) }
    case frameKind.event:
      return { kind: 'event', value: json(frame) }
    case frameKind.request:
    case frameKind.reply:
      return decodeCall(kind, frame)
    default:
      return decodeNotice(kind, frame)
  }
}

function decodeNotice(kind: number, frame: ByteReader): PrimaryFrame {
  switch (kind) {
    case frameKind.welcome:
      return whole(frame, { kind: 'welcome' })
    case frameKind.subscribed:
      return whole(frame, {
        kind: 'subscribed',
        ref: frame.u32(),
        refused: frame.u8() === 1,
        members: frame.texts(),
      })
    case frameKind.receipt:
      return whole(frame, { kind: 'receipt', ref: frame.u32(), workers: frame.texts() })
    case frameKind.member:
      return whole(frame, {
        kind: 'member',
        joined: frame.u8() === 1,
        topic: frame.text(),
        worker: frame.text(),
      })
    case frameKind.messageAbandoned:
      return whole(frame, { kind: 'messageAbandoned', from: frame.text() })
    case frameKind.peerGone:
      return whole(frame, { kind: 'peerGone', worker: frame.text() })
    default:
      throw new FrameError(`unknown kind ${kind}`)
  }
}

function decodeCall(kind: number, frame: ByteReader): WorkerFrame & PrimaryFrame {
  switch (kind) {
    case frameKind.request:
      return { kind: 'request', id: frame.u32(), method: frame.text(), params: json(frame) }
    case frameKind.reply:
      return { kind: 'reply', id: frame.u32(), ok: frame.u8() === 1, value: json(frame) }
    default:
      throw new FrameError(`unknown kind ${kind}`)
  }
}

/**
 * Checks that no bytes are left. Object literals are evaluated in order, so all fields have been read here.
 */
function whole<T>(frame: ByteReader, decoded: T): T {
  frame.end()
  return decoded
}

function json(frame: ByteReader): unknown {
  const text = frame.rest().toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FrameError(`not JSON: ${String(error)}`)
  }
}
