/**
 * Wire format between hosts: one line of JSON (sender, target, message), then the message body as the worker
 * sent it, then a signature over both if there is a secret. `open` checks everything and returns a fault as a
 * reason; it never throws. Pure.
 */
import type { SigningKeys } from '../../redis/signing.ts'
import { SIGNATURE_BYTES, sign, verify } from '../../redis/signing.ts'
import type {
  HostControlMessage,
  HostMessage,
  HostMessageHeader,
  MessageWithBody,
} from '../../wire/host-messages.ts'
import { hostMessageHeader } from '../../wire/host-messages.ts'

const PURPOSE = 'hosts'
const LINE_FEED = 0x0a
/** Length of a signature in base64url. */
const SIGNATURE_CHARACTERS = Math.ceil((SIGNATURE_BYTES * 4) / 3)

/** Why an incoming message is refused. `unreadable`: its first line is not JSON. */
export type EnvelopeFault = 'unreadable' | 'envelope' | 'unsigned' | 'forged' | 'message'

/** Sender, and the numbers of the message. */
export type SpeakerHead = Pick<HostMessageHeader, 'host' | 'n' | 'base' | 'to'>

export interface Opened extends SpeakerHead {
  content: { kind: 'control'; control: HostControlMessage } | { kind: 'message'; message: HostMessage }
}

/** @param keys without keys the message is not signed */
export function seal(
  head: SpeakerHead,
  message: HostMessage | HostControlMessage,
  keys?: SigningKeys,
): Buffer {
  const { host, n, base, to } = head
  const body = 'body' in message ? message.body : undefined
  // `startOf` relies on `host` being the first key.
  const line = JSON.stringify({ host, n, base, to, bytes: body?.length, message: withoutBody(message) })
  const content = Buffer.from(`${line}\n`)
  const signed = body === undefined ? content : Buffer.concat([content, body])
  if (keys === undefined) return signed
  return Buffer.concat([signed, Buffer.from(sign(keys, PURPOSE, signed).toString('base64url'), 'latin1')])
}

/** The first bytes of every message that `host` seals. */
export function startOf(host: string): Buffer {
  return Buffer.from(`{"host":${JSON.stringify(host)},`)
}

/** @param keys without keys the signature is not checked */
export function open(bytes: Buffer, keys?: SigningKeys): Opened | EnvelopeFault {
  const lineFeed = bytes.indexOf(LINE_FEED)
  const lineEnd = lineFeed === -1 ? bytes.length : lineFeed
  const line = jsonOf(bytes.toString('utf8', 0, lineEnd))
  if (line === undefined) return 'unreadable'
  const head = hostMessageHeader.safeParse(line)
  if (!head.success)
    return head.error.issues.every(({ path }) => path[0] === 'message') ? 'message' : 'envelope'
  const bodyAt = Math.min(lineEnd + 1, bytes.length)
  const bodyEnd = bodyAt + (head.data.bytes ?? 0)
  if (bodyEnd > bytes.length) return 'envelope'
  const fault = keys === undefined ? undefined : signatureFault(bytes, bodyEnd, keys)
  return fault ?? openMessage(head.data, bytes.subarray(bodyAt, bodyEnd))
}

function signatureFault(bytes: Buffer, end: number, keys: SigningKeys): EnvelopeFault | undefined {
  if (bytes.length === end) return 'unsigned'
  if (bytes.length !== end + SIGNATURE_CHARACTERS) return 'forged'
  const given = Buffer.from(bytes.toString('latin1', end), 'base64url')
  return verify(keys, PURPOSE, bytes.subarray(0, end), given) ? undefined : 'forged'
}

function openMessage(
  { host, n, base, to, bytes, message }: HostMessageHeader,
  body: Buffer,
): Opened | EnvelopeFault {
  const opened = { host, n, base, to }
  switch (message.type) {
    case 'publication':
    case 'part':
    case 'send':
      if (bytes === undefined) return 'message'
      return { ...opened, content: { kind: 'message', message: { ...message, body } } }
    case 'beat':
    case 'who':
    case 'iam':
    case 'bye':
      return { ...opened, content: { kind: 'control', control: message } }
    default:
      return { ...opened, content: { kind: 'message', message } }
  }
}

function withoutBody(message: HostMessage | HostControlMessage): object {
  if (!('body' in message)) return message
  const { body: _, ...rest }: MessageWithBody = message
  return rest
}

/** `undefined` if the text is not JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The caller refuses and counts it.
    return undefined
  }
}
