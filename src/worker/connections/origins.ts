/**
 * Which web pages may open a session. Browsers let every page open WebSockets to any server, and load scripts from it (JSONP): only the
 * server can refuse. Programs send no `Origin` and are not concerned.
 */
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import type { ServerOptions } from 'socket.io'
import { LogThrottle } from '../../core/log-throttle.ts'

type AllowRequest = NonNullable<ServerOptions['allowRequest']>

const LOG_MS = 10_000
const SHOWN_CHARS = 200

export interface OriginCheck {
  /** Besides the origin of the page that this server serves. */
  origins: readonly string[]
  /** Asked about the requests that pass; the application's. */
  next?: AllowRequest
  logger: Logger
  registry: Registry
}

/** For the option `allowRequest` of Socket.IO: others get 403. */
export function checkOrigins({ origins, next, logger, registry }: OriginCheck): AllowRequest {
  const allowed = new Set(origins)
  const throttle = new LogThrottle(LOG_MS)
  const refused = new Counter({
    name: 'rookery_refused_origins_total',
    help: 'Sessions that pages of other origins wanted to open, and requests as JSONP',
    registers: [registry],
  })
  return (request, respond) => {
    if (isAllowed(request, allowed)) {
      if (next === undefined) respond(undefined, true)
      else next(request, respond)
      return
    }
    refused.inc()
    throttle.run((heldBack) =>
      logger.warn(
        {
          origin: request.headers.origin?.slice(0, SHOWN_CHARS),
          hostHeader: request.headers.host?.slice(0, SHOWN_CHARS),
          heldBack,
        },
        'a page of another origin may not connect. To allow it, name it in CORS_ORIGIN; if it is the page of this server, its proxy has to pass the Host header on',
      ),
    )
    respond('pages of this origin may not connect', false)
  }
}

function isAllowed(request: IncomingMessage, allowed: ReadonlySet<string>): boolean {
  if (isJsonp(request.url ?? '')) return false
  const { origin } = request.headers
  if (origin === undefined || allowed.has(origin)) return true
  return isOwnOrigin(origin, request)
}

/** With `j` the response is a script, which pages of all origins may load, and then there is no `Origin`. */
function isJsonp(url: string): boolean {
  const at = url.indexOf('?')
  return at >= 0 && new URLSearchParams(url.slice(at)).has('j')
}

/**
 * The scheme is not compared: a proxy may end TLS. A page can set none of these headers: browsers refuse `Host` and `Sec-Fetch-Site`,
 * and ask before they send `X-Forwarded-Host` to another origin.
 */
function isOwnOrigin(origin: string, { headers }: IncomingMessage): boolean {
  if (headers['sec-fetch-site'] === 'same-origin') return true
  if (!URL.canParse(origin)) return false
  const page = new URL(origin)
  const forwarded = [headers['x-forwarded-host']].flat().flatMap((value) => value?.split(',') ?? [])
  return [headers.host ?? '', ...forwarded].some((name) => isHostOf(page, name.trim()))
}

const PORT = /:\d+$/

/** Proxies such as nginx may leave the port out (`proxy_set_header Host $host`). */
function isHostOf(page: URL, name: string): boolean {
  const url = `${page.protocol}//${name}`
  if (name === '' || !URL.canParse(url)) return false
  const { host, hostname } = new URL(url)
  return PORT.test(name) ? host === page.host : hostname === page.hostname
}
