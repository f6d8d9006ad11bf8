/**
 * The messages of `@socket.io/redis-emitter` 5, and of others that write what `@socket.io/redis-adapter` reads on
 * classic channels: how they are named, decoded and checked. Pure.
 */
import { decode } from 'notepack.io'
import { PacketType } from 'socket.io-parser'
import { z } from 'zod'
import { isMsgpackWithinLimits } from '../../core/msgpack-limits.ts'
import { isWithinLimits } from '../../core/value-limits.ts'
import { sharedLinkLimits } from '../../wire/link-limits.ts'
import type { OutsideMessage } from './outside-message.ts'
import {
  NAMESPACE_MAX_CHARS,
  RESERVED_EVENTS,
  RESERVED_SERVER_EVENTS,
  VALUE_LIMITS,
} from './outside-message.ts'

const EMIT_MAX_BYTES = sharedLinkLimits.maxMessageBytes
/** A `socketsJoin`, `serverSideEmit` and so on. */
const REQUEST_MAX_BYTES = 1_048_576

export type RefusalReason = 'malformed' | 'unsupported' | 'too_large'

export class RefusedMessage extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RefusedMessage'
    this.reason = reason
  }
}

/** The patterns of all channels that an emitter with this `key` publishes on. `key` has no special characters. */
export const patternsOf = (key: string): string[] => [`${key}#*`, `${key}-request#*`]

const JSON_OBJECT = '{'.charCodeAt(0)

const requestType = {
  sockets: 0,
  allRooms: 1,
  join: 2,
  leave: 3,
  disconnect: 4,
  fetch: 5,
  serverSideEmit: 6,
  broadcast: 7,
} as const
/** Their senders wait for answers, which only other servers give. */
const QUESTIONS: ReadonlySet<unknown> = new Set([
  requestType.sockets,
  requestType.allRooms,
  requestType.fetch,
  requestType.broadcast,
])

const namespace = z.string().startsWith('/').max(NAMESPACE_MAX_CHARS)
/** Not only strings and numbers: what an emitter is given for an unknown user must not make it "everybody". */
const rooms = z
  .array(z.unknown())
  .nullish()
  .transform((list) => list ?? [])

/** PHP's emitters write an empty list where there are no flags. What is not true or false is no flag. */
const flags = z.unknown().transform((given) => {
  const { volatile, compress } = { ...(typeof given === 'object' ? given : {}) } as Record<string, unknown>
  return { volatile: volatile === true, compress: typeof compress === 'boolean' ? compress : undefined }
})

const emission = z.tuple(
  [
    z.unknown(),
    z.object({
      type: z.literal([PacketType.EVENT, PacketType.BINARY_EVENT]),
      data: z.array(z.unknown()).refine(([event]) => isEvent(event), 'no event that may be sent to clients'),
      nsp: namespace.default('/'),
    }),
    z.object({ rooms, except: rooms, flags }),
  ],
  z.unknown(),
)

const opts = z.object({ rooms, except: rooms })
const request = z.discriminatedUnion('type', [
  z.object({ type: z.literal(requestType.join), opts, rooms: z.array(z.unknown()) }),
  z.object({ type: z.literal(requestType.leave), opts, rooms: z.array(z.unknown()) }),
  z.object({ type: z.literal(requestType.disconnect), opts, close: z.unknown().transform(Boolean) }),
  z.object({
    type: z.literal(requestType.serverSideEmit),
    data: z
      .array(z.unknown())
      .refine(
        ([event]) => typeof event === 'string' && !RESERVED_SERVER_EVENTS.has(event),
        'no event of servers',
      ),
  }),
])

function isEvent(event: unknown): boolean {
  return (typeof event === 'string' || typeof event === 'number') && !RESERVED_EVENTS.has(event)
}

/** @throws RefusedMessage */
export function decodeRedisMessage(key: string, channel: string, bytes: Buffer): OutsideMessage {
  const requests = `${key}-request#`
  if (channel.startsWith(requests)) {
    checkSize(bytes, REQUEST_MAX_BYTES)
    return requestOf(channel.slice(requests.length, -1), bytes)
  }
  checkSize(bytes, EMIT_MAX_BYTES)
  const [, packet, { rooms: to, except, flags: own }] = checked(emission, decoded(bytes))
  const { nsp, data } = packet
  if (!channel.startsWith(`${key}#${nsp}#`))
    throw new RefusedMessage('malformed', `a packet of namespace ${nsp} on another channel`)
  return { kind: 'emit', nsp, rooms: to, except, flags: own, data }
}

function requestOf(name: string, bytes: Buffer): OutsideMessage {
  const nsp = checked(namespace, name)
  const value = bytes[0] === JSON_OBJECT ? parsed(bytes) : decoded(bytes)
  const { type, requestId, sid } = { ...(typeof value === 'object' ? value : {}) } as Record<string, unknown>
  if (QUESTIONS.has(type) || requestId !== undefined || sid !== undefined)
    throw new RefusedMessage(
      'unsupported',
      `a request of type ${String(type)} that other servers have to answer`,
    )
  const asked = checked(request, value)
  switch (asked.type) {
    case requestType.join:
      return { kind: 'join', nsp, ...asked.opts, targets: asked.rooms }
    case requestType.leave:
      return { kind: 'leave', nsp, ...asked.opts, targets: asked.rooms }
    case requestType.disconnect:
      return { kind: 'disconnect', nsp, ...asked.opts, close: asked.close }
    default:
      return { kind: 'serverSideEmit', nsp, data: asked.data }
  }
}

function checkSize(bytes: Buffer, maxBytes: number): void {
  if (bytes.length > maxBytes)
    throw new RefusedMessage('too_large', `${bytes.length} bytes, ${maxBytes} allowed`)
}

function decoded(bytes: Buffer): unknown {
  if (!isMsgpackWithinLimits(bytes, VALUE_LIMITS))
    throw new RefusedMessage('malformed', 'not MessagePack, or too many or too deep values')
  return attempt(() => decode(bytes) as unknown)
}

function parsed(bytes: Buffer): unknown {
  const value = attempt(() => JSON.parse(bytes.toString('utf8')) as unknown)
  if (!isWithinLimits(value, VALUE_LIMITS))
    throw new RefusedMessage('malformed', 'too many or too deep values')
  return value
}

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (cause) {
    throw new RefusedMessage('malformed', String(cause), { cause })
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const [issue] = error.issues
  throw new RefusedMessage('malformed', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}
