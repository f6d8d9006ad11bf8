/**
 * The HTTP API: publishing, history and presence for servers that hold the API key. Answers are JSON and look like acks;
 * an error has the status that the error table gives it. Never logs the key.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { AppContext } from '../wire/app.ts'
import { chatRoom, historyRange, publishBody } from '../wire/chat.ts'
import type { ErrorBody } from '../wire/errors.ts'
import { errorTable, RookeryError } from '../wire/errors.ts'
import { checkAccess } from './auth/access.ts'
import type { ChatMetrics } from './metrics.ts'
import { checked, failureBody } from './requests/failures.ts'
import { history } from './requests/pages.ts'
import type { Rates } from './requests/rate.ts'
import { rates } from './requests/rate.ts'
import { checkLength } from './requests/requests.ts'
import type { RecentTracks } from './requests/tracked-rooms.ts'
import type { Notices } from './rooms/user-notices.ts'

/** Text of `textMaxChars` in the longest escapes of JSON (12 bytes a character), and the rest of the body. */
const BYTES_PER_CHAR = 12
const BODY_REST_BYTES = 4_096
/** So much of a body that is too large is read and dropped, so that its sender hears why instead of a broken pipe. */
const DROPPED_MAX_BYTES = 8_388_608
/** A server speaks for many users: it has so many times a user's share. */
const SERVER_RATE_FACTOR = 50

export interface ApiOptions {
  context: Pick<AppContext, 'rooms' | 'settings' | 'logger'>
  tracks: RecentTracks
  notices: Notices
  metrics: Pick<ChatMetrics, 'api'>
}

/** The routes below `/api`. */
export function api(options: ApiOptions): Hono {
  const { context, metrics } = options
  const routes = new Hono()
  routes.onError((error, c) => {
    const body = failureBody(error, context.logger, 'api')
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

function addRoutes(routes: Hono, { context, tracks, notices, metrics }: ApiOptions): void {
  const { rooms, settings } = context
  const bodyMaxBytes = settings.textMaxChars * BYTES_PER_CHAR + BODY_REST_BYTES
  const shares = rates(settings, SERVER_RATE_FACTOR)
  const answer = (c: Context, body: object): Response => {
    metrics.api.inc({ code: 'ok' })
    return c.json({ ok: true, ...body })
  }
  routes.post('/rooms/:room/messages', async (c) => {
    await shares.message('api')
    const room = roomOf(c)
    const { id, text, from } = checked(publishBody, await jsonOf(c, bodyMaxBytes))
    checkAccess(room, from.id)
    checkLength(text, settings.textMaxChars)
    await tracks.ensure(room)
    const appended = await rooms.append(room, { kind: 'text', id, from, text })
    notices.text(room, from, appended.seq)
    return answer(c, appended)
  })
  routes.get('/rooms/:room/messages', async (c) => {
    await shares.request('api')
    const asked = checked(historyRange, checked(queryNumbers, c.req.query()))
    return answer(c, await history(rooms, roomOf(c), asked))
  })
  routes.get('/rooms/:room/members', async (c) => {
    await shares.request('api')
    const { members, count } = await rooms.members(roomOf(c))
    return answer(c, { members, count })
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

function roomOf(c: Context): string {
  return checked(z.object({ room: chatRoom }), { room: c.req.param('room') }).room
}

async function jsonOf(c: Context, maxBytes: number): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new RookeryError('bad_request', 'the body must be JSON, and content-type say so: application/json')
  }
  const body = await bodyOf(c.req.raw, maxBytes)
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new RookeryError('bad_request', 'the body is not JSON', { cause })
  }
}

/**
 * Hono's own body limit wraps the request in a new global `Request`, which the Node adapter's requests are no basis for
 * unless it replaces the globals; so the bytes are counted here.
 */
async function bodyOf(request: Request, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes <= maxBytes) chunks.push(chunk)
    if (bytes > maxBytes + DROPPED_MAX_BYTES) break
  }
  if (bytes > maxBytes) throw new RookeryError('too_large', `the body has at most ${maxBytes} bytes`)
  return Buffer.concat(chunks, bytes).toString('utf8')
}

/** Wrong keys are limited by the address that they come from. */
function authorize(
  settings: AppContext['settings'],
): (c: Context, next: () => Promise<void>) => Promise<void> {
  const expected = settings.apiKey === undefined ? undefined : digest(settings.apiKey)
  const wrong: Rates['request'] = rates(settings).request
  return async (c, next) => {
    if (expected === undefined) throw new RookeryError('not_found', 'this API is off: no API_KEY is set')
    const [, key] = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '') ?? []
    if (key === undefined || !timingSafeEqual(digest(key), expected)) {
      await wrong(addressOf(c))
      throw new RookeryError('unauthenticated', 'Authorization: Bearer <API key> is missing or wrong')
    }
    await next()
  }
}

function addressOf(c: Context): string {
  return getConnInfo(c).remote.address ?? 'unknown'
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function refuse(c: Context, error: ErrorBody): Response {
  const status: ContentfulStatusCode = errorTable[error.code].status
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)))
  if (error.code === 'unauthenticated') c.header('www-authenticate', 'Bearer')
  return c.json({ ok: false, error }, status)
}
