/**
 * Engine.IO 4 and Socket.IO 5 packets as texts: what a client sends and understands. Pure. Binary packets are
 * not supported and count as unreadable.
 */
import { z } from 'zod'

/** First character of an Engine.IO packet. */
export const ENGINE = {
  open: '0',
  close: '1',
  ping: '2',
  pong: '3',
  message: '4',
  upgrade: '5',
  noop: '6',
} as const

export const PROBE = '2probe'
export const PROBE_ANSWER = '3probe'

/** Separates the packets of a polling payload. */
const SEPARATOR = '\x1e'

export const Handshake = z.object({
  sid: z.string(),
  upgrades: z.array(z.string()),
  pingInterval: z.number(),
  pingTimeout: z.number(),
  maxPayload: z.number().default(Number.POSITIVE_INFINITY),
})
export type Handshake = z.infer<typeof Handshake>

export type SocketPacket =
  | { type: 'connect'; pid: string | undefined }
  | { type: 'disconnect' }
  | { type: 'event'; args: readonly unknown[] }
  | { type: 'ack'; ref: number; answer: unknown }
  | { type: 'refused'; reason: string }
  /** Of another namespace. */
  | { type: 'foreign' }

const Connected = z.object({ sid: z.string(), pid: z.string().optional() })
const Refusal = z.object({
  message: z.string(),
  data: z.object({ code: z.string() }).optional().catch(undefined),
})

const DIGITS = /\d*/y

/** @param namespace `/` or `/name` */
export function encodeConnect(namespace: string, auth: Readonly<Record<string, unknown>>): string {
  return `40${prefixOf(namespace)}${JSON.stringify(auth)}`
}

export function encodeDisconnect(namespace: string): string {
  return `41${prefixOf(namespace)}`
}

export function encodeEvent(namespace: string, ref: number, args: readonly [string, unknown]): string {
  return `42${prefixOf(namespace)}${ref}${JSON.stringify(args)}`
}

/** @param packet an Engine.IO message packet, including its leading `4` @throws if it is malformed */
export function decodeMessage(packet: string, namespace: string): SocketPacket {
  const prefix = prefixOf(namespace)
  const isForeign = prefix === '' ? packet.charAt(2) === '/' : !packet.startsWith(prefix, 2)
  if (isForeign) return { type: 'foreign' }
  const begin = 2 + prefix.length
  switch (packet.charAt(1)) {
    case '0':
      return { type: 'connect', pid: Connected.parse(JSON.parse(packet.slice(begin))).pid }
    case '1':
      return { type: 'disconnect' }
    case '2':
      return { type: 'event', args: arrayIn(packet, begin + refIn(packet, begin).length) }
    case '3':
      return ackIn(packet, begin)
    case '4':
      return { type: 'refused', reason: reasonIn(packet.slice(begin)) }
    default:
      throw new Error(`not a packet of text: ${packet.slice(0, 40)}`)
  }
}

/** The packets of a polling payload. */
export function splitPayload(payload: string): string[] {
  return payload.split(SEPARATOR)
}

/**
 * Takes as many packets out of `queue` as fit into one payload, at least one.
 * @param maxBytes the server's limit
 */
export function takePayload(queue: string[], maxBytes: number): string {
  let bytes = 0
  let count = 0
  for (const packet of queue) {
    bytes += Buffer.byteLength(packet) + 1
    if (count > 0 && bytes - 1 > maxBytes) break
    count += 1
  }
  return queue.splice(0, count).join(SEPARATOR)
}

function prefixOf(namespace: string): string {
  return namespace === '/' ? '' : `${namespace},`
}

function refIn(packet: string, begin: number): string {
  DIGITS.lastIndex = begin
  return DIGITS.exec(packet)?.[0] ?? ''
}

function arrayIn(packet: string, begin: number): unknown[] {
  const args: unknown = JSON.parse(packet.slice(begin))
  if (!Array.isArray(args)) throw new Error(`no arguments: ${packet.slice(0, 40)}`)
  return args
}

function ackIn(packet: string, begin: number): SocketPacket {
  const ref = refIn(packet, begin)
  if (ref === '') throw new Error(`an ack of nothing: ${packet.slice(0, 40)}`)
  const [answer] = arrayIn(packet, begin + ref.length)
  return { type: 'ack', ref: Number(ref), answer }
}

function reasonIn(json: string): string {
  const { message, data } = Refusal.parse(JSON.parse(json))
  return data?.code ?? message
}
