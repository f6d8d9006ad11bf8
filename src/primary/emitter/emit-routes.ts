/**
 * `POST /emit` of the admin listener: emits to clients of the whole cluster, for whoever has EMIT_TOKEN. Never logs
 * the token or what is emitted.
 */
import type { Context } from 'hono'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { bearerCheck } from '../../core/bearer.ts'
import { isJson, readBody } from '../../core/request-body.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Backplane } from '../backplane/index.ts'
import type { Relay } from '../relay/index.ts'
import { parseEmit } from './emit-request.ts'
import { emitRequestMetrics } from './metrics.ts'
import { publicationsOf } from './outside-message.ts'

const BODY_MAX_BYTES = 1_048_576
/** Bodies that are read at a time. */
const BODIES_MAX = 64
/** Emits of this host, and attempts with a wrong token. */
const RATE = { perSecond: 500, burst: 1_000 }
const ATTEMPT_RATE = { perSecond: 10, burst: 20 }

export interface EmitRoutesOptions {
  /** EMIT_TOKEN; unset: nobody may emit. */
  token: string | undefined
  relay: Pick<Relay, 'publishFromOutside'>
  backplane: Pick<Backplane, 'isolated' | 'hosts'>
  logger: Logger
  registry: Registry
  now: () => number
}

export function emitRoutes(options: EmitRoutesOptions): Hono {
  const { token, relay, backplane, logger, registry, now } = options
  const metrics = emitRequestMetrics(registry)
  const isAllowed = token === undefined ? undefined : bearerCheck(token)
  const rate = new TokenBucket({ ...RATE, now: now() })
  const attempts = new TokenBucket({ ...ATTEMPT_RATE, now: now() })
  let reading = 0

  const authorize = (c: Context) => {
    if (isAllowed === undefined)
      throw new RookeryError('not_found', 'this host takes no emits: no EMIT_TOKEN is set')
    if (isAllowed(c.req.header('authorization'))) return limit(rate, now(), 'too many emits')
    limit(attempts, now(), 'too many attempts with a wrong token')
    throw new RookeryError('unauthenticated', 'Authorization: Bearer <EMIT_TOKEN> is missing or wrong')
  }
  const bodyOf = async (c: Context) => {
    if (!isJson(c.req.header('content-type')))
      throw new RookeryError(
        'bad_request',
        'the body must be JSON, and content-type say so: application/json',
      )
    if (reading >= BODIES_MAX) throw new RookeryError('rate_limited', 'too many bodies at a time')
    reading += 1
    try {
      const body = await readBody(c.req.raw, BODY_MAX_BYTES)
      if (body === undefined)
        throw new RookeryError('too_large', `the body has at most ${BODY_MAX_BYTES} bytes`)
      return body
    } finally {
      reading -= 1
    }
  }

  const routes = new Hono()
  routes.onError((error, c) => {
    if (!(error instanceof RookeryError)) logger.error({ err: error }, 'an emit from outside failed')
    const known = error instanceof RookeryError ? error : new RookeryError('internal', 'it has been logged')
    metrics.requests.inc({ code: known.code })
    return refuse(c, known)
  })
  routes.post('/', async (c) => {
    authorize(c)
    const message = parseEmit(await bodyOf(c))
    // Nothing is done by halves: this host would be the only one that emits.
    if (backplane.isolated)
      throw new RookeryError('unavailable', 'the other hosts are out of reach: nothing was emitted')
    for (const publication of publicationsOf(message))
      if (!relay.publishFromOutside({ ...publication, reach: 'cluster' }))
        throw new RookeryError(
          'unavailable',
          'Redis is away or too slow: only clients of this host get the event',
        )
    metrics.requests.inc({ code: 'ok' })
    return c.json({ ok: true, hosts: 1 + backplane.hosts().length })
  })
  return routes
}

function limit(bucket: TokenBucket, nowMs: number, message: string): void {
  if (bucket.take(nowMs)) return
  throw new RookeryError('rate_limited', message, { retryAfterMs: bucket.waitMs(nowMs) })
}

function refuse(c: Context, error: RookeryError): Response {
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)))
  if (error.code === 'unauthenticated') c.header('www-authenticate', 'Bearer')
  return c.json({ ok: false, error: error.toBody() }, error.status as ContentfulStatusCode)
}
