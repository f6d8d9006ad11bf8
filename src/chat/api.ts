/**
 * The HTTP API: publishing, history and presence for servers that have the API key. Responses are JSON in the
 * form of acks; the error table gives the status of an error. Never logs the key.
 */
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { bearerCheck } from '../core/bearer.ts'
import { isJson, readBody } from '../core/request-body.ts'
import type { AppContext } from '../wire/app.ts'
import { chatRoom, historyRange, membersView, publishBody } from '../wire/chat.ts'
import type { ErrorBody } from '../wire/errors.ts'
import { errorTable, RookeryError } from '../wire/errors.ts'
import { validate } from '../wire/validate.ts'
import { checkAccess } from './auth/access.ts'
import { errorBodyOf } from './errors.ts'
import type { ChatMetrics } from './metrics.ts'
import type { Rates } from './requests/rate.ts'
import { rates } from './requests/rate.ts'
import { checkLength } from './requests/requests.ts'
import { history } from './rooms/pages.ts'
import type { RoomNames } from './rooms/room-names.ts'
import type { TrackedRooms } from './rooms/tracked-rooms.ts'
import type { UserNotices } from './rooms/user-notices.ts'

/**
 * Largest body: a text of `textMaxChars` with the longest JSON escapes (12 bytes per character), and the
 * rest.
 */
const BYTES_PER_CHAR = 12
const BODY_REST_BYTES = 4_096
/** A server acts for many users: its rate limits are this many times those of a user. */
const SERVER_RATE_FACTOR = 50

export interface ApiOptions {
  context: Pick<AppContext, 'rooms' | 'settings' | 'logger'>
  trackedRooms: TrackedRooms
  notices: UserNotices
  names: RoomNames
  metrics: Pick<ChatMetrics, 'api'>
}

/** The routes below `/api`. */
export function api(options: ApiOptions): Hono {
  const { context, metrics } = options
  const routes = new Hono()
  routes.onError((error, c) => {
    const body = errorBodyOf(error, context.logger, 'api')
    metrics.api.inc({ code: body.code })
    return refuse(c, body)
  })
  routes.use(authorize(context.settings))
  addRoutes(routes, options)
  routes.all('*', () => {
    throw new RookeryError('not_found', 'no such call')
  })
  return routes
}

function addRoutes(routes: Hono, { context, trackedRooms, notices, names, metrics }: ApiOptions): void {
  const { rooms, settings } = context
  const bodyMaxBytes = settings.textMaxChars * BYTES_PER_CHAR + BODY_REST_BYTES
  const limits = rates(settings, SERVER_RATE_FACTOR)
  const roomOf = (c: Context): Promise<string> =>
    names.find(validate(z.object({ room: chatRoom }), { room: c.req.param('room') }).room)
  const respond = (c: Context, body: object): Response => {
    metrics.api.inc({ code: 'ok' })
    return c.json({ ok: true, ...body })
  }
  routes.post('/rooms/:room/messages', async (c) => {
    await limits.message('api')
    const room = await roomOf(c)
    const { id, text, from } = validate(publishBody, await jsonOf(c, bodyMaxBytes))
    checkAccess(room, from.id)
    checkLength(text, settings.textMaxChars)
    await trackedRooms.ensure(room)
    const appended = await rooms.append(room, { kind: 'text', id, from, text })
    notices.text(room, from, appended.seq)
    return respond(c, appended)
  })
  routes.get('/rooms/:room/messages', async (c) => {
    await limits.page('api')
    const asked = validate(historyRange, validate(queryNumbers, c.req.query()))
    return respond(c, await history(rooms, await roomOf(c), asked))
  })
  routes.get('/rooms/:room/members', async (c) => {
    await limits.page('api')
    const { members, count } = await rooms.members(await roomOf(c), validate(membersView, c.req.query()))
    return respond(c, { members, count })
  })
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,16}$/, 'a whole number')
  .transform(Number)

const queryNumbers = z.object({
  before: wholeNumber.optional(),
  after: wholeNumber.optional(),
  limit: wholeNumber.optional(),
})

async function jsonOf(c: Context, maxBytes: number): Promise<unknown> {
  if (!isJson(c.req.header('content-type'))) {
    throw new RookeryError('bad_request', 'the body must be JSON, and content-type say so: application/json')
  }
  const body = await readBody(c.req.raw, maxBytes)
  if (body === undefined) throw new RookeryError('too_large', `the body has at most ${maxBytes} bytes`)
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new RookeryError('bad_request', 'the body is not JSON', { cause })
  }
}

/** Attempts with a wrong key are rate limited by address. */
function authorize(
  settings: AppContext['settings'],
): (c: Context, next: () => Promise<void>) => Promise<void> {
  const isAllowed = settings.apiKey === undefined ? undefined : bearerCheck(settings.apiKey)
  const limitAttempts: Rates['request'] = rates(settings).request
  return async (c, next) => {
    if (isAllowed === undefined) throw new RookeryError('not_found', 'this API is off: no API_KEY is set')
    if (!isAllowed(c.req.header('authorization'))) {
      await limitAttempts(addressOf(c))
      throw new RookeryError('unauthenticated', 'Authorization: Bearer <API key> is missing or wrong')
    }
    await next()
  }
}

function addressOf(c: Context): string {
  return getConnInfo(c).remote.address ?? 'unknown'
}

function refuse(c: Context, error: ErrorBody): Response {
  const status: ContentfulStatusCode = errorTable[error.code].status
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)))
  if (error.code === 'unauthenticated') c.header('www-authenticate', 'Bearer')
  return c.json({ ok: false, error }, status)
}
