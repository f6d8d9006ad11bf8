/**
 * What hosts say to each other, as it travels: a line of JSON that says who, to whom and what, the message's body as it came from
 * its worker, and if there is a secret the signature over both. `open` checks all of it; what is not right is named by a
 * reason, never thrown. Pure.
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
/** Of a signature as base64url. */
const SIGNATURE_CHARACTERS = Math.ceil((SIGNATURE_BYTES * 4) / 3)

/** Why something that came in is not taken. `unreadable`: its first line is not JSON. */
export type EnvelopeFault = 'unreadable' | 'envelope' | 'unsigned' | 'forged' | 'message'

/** Who says something, and which of its messages it is. */
export type SpeakerHead = Pick<HostMessageHeader, 'host' | 'n' | 'base' | 'to'>

export interface Opened extends SpeakerHead {
  content: { kind: 'control'; control: HostControlMessage } | { kind: 'message'; message: HostMessage }
}

/** @param keys none: it is not signed */
export function seal(
  head: SpeakerHead,
  message: HostMessage | HostControlMessage,
  keys?: SigningKeys,
): Buffer {
  const { host, n, base, to } = head
  const body = 'body' in message ? message.body : undefined
  // The host comes first: `startOf` relies on it.
  const line = JSON.stringify({ host, n, base, to, bytes: body?.length, message: withoutBody(message) })
  const content = Buffer.from(`${line}\n`)
  const signed = body === undefined ? content : Buffer.concat([content, body])
  if (keys === undefined) return signed
  return Buffer.concat([signed, Buffer.from(sign(keys, PURPOSE, signed).toString('base64url'), 'latin1')])
}

/** How everything begins that `host` seals. */
export function startOf(host: string): Buffer {
  return Buffer.from(`{"host":${JSON.stringify(host)},`)
}

/** @param keys none: a signature is not looked at */
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

/** `undefined`: it is not JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What it is instead does not matter: it is refused, and counted.
    return undefined
  }
}
