/** What `POST /emit` takes, and its meaning. Pure. */
import { z } from 'zod'
import { isWithinLimits } from '../../core/value-limits.ts'
import { RookeryError } from '../../wire/errors.ts'
import { validate } from '../../wire/validate.ts'
import type { OutsideMessage } from './outside-message.ts'
import { NAMESPACE_MAX_CHARS, RESERVED_EVENTS, VALUE_LIMITS } from './outside-message.ts'

const ROOMS_MAX = 1_000
const ROOM_MAX_CHARS = 1_000
const EVENT_MAX_CHARS = 1_000
const ARGS_MAX = 100

const room = z.union([z.string().max(ROOM_MAX_CHARS), z.number()], 'a room is a text or a number')
const rooms = z.array(room).max(ROOMS_MAX)

const emitBody = z.strictObject({
  namespace: z.string().startsWith('/', 'a namespace begins with /').max(NAMESPACE_MAX_CHARS).default('/'),
  /** None: everybody in the namespace. */
  rooms: rooms.min(1, 'no room: leave it out to reach everybody in the namespace').optional(),
  except: rooms.optional(),
  event: z
    .string()
    .min(1)
    .max(EVENT_MAX_CHARS)
    .refine(
      (event) => !RESERVED_EVENTS.has(event),
      'an event of Socket.IO itself, which nobody else may emit',
    ),
  args: z.array(z.unknown()).max(ARGS_MAX).default([]),
  volatile: z.boolean().default(false),
  compress: z.boolean().optional(),
})

/** @param text JSON. @throws RookeryError `bad_request` with the first problem */
export function parseEmit(text: string): OutsideMessage {
  const body = validate(emitBody, parsed(text), 'the body')
  const { namespace, rooms: to = [], except = [], event, args, volatile, compress } = body
  if (!isWithinLimits(args, VALUE_LIMITS))
    throw new RookeryError('bad_request', 'args: too deep, or too many values')
  return {
    kind: 'emit',
    nsp: namespace,
    rooms: to,
    except,
    flags: { volatile, compress },
    data: [event, ...args],
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RookeryError('bad_request', 'the body is not JSON', { cause })
  }
}
