/**
 * The worker's HTTP server: it never listens, connections are handed to it. The files of the page first, then the routes
 * of the application. Socket.IO attaches itself in front of both.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { Logger } from 'pino'
import { RookeryError } from '../../wire/errors.ts'
import { answerPageFile, type PageFile, readPageFiles } from './static-files.ts'

/**
 * `connect-src 'self'` covers the WebSocket of the same origin. Trusted types with no policy allowed: whatever would turn
 * a string into markup or code throws, in the page and in the libraries that it is built of.
 */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
]

const PAGE_HEADERS = new Map([
  ['Content-Security-Policy', CONTENT_POLICY.join('; ')],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Permissions-Policy', 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
])

const NOT_FOUND_PAGE = `<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width" /><meta name="color-scheme" content="light dark" />
<title>Not found</title>
<h1>There is nothing at this address</h1>
<p><a href="/">Go to the chat</a></p>
</html>
`

export interface HttpServerOptions {
  routes: Hono
  /** Directory of the page; none is served without it. */
  staticDir: string | undefined
  headMaxBytes: number
  logger: Logger
}

export function createHttpServer({ routes, staticDir, headMaxBytes, logger }: HttpServerOptions): Server {
  const errorHandler = (error: unknown) => refusal(error, logger)
  const route = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler })
  const files = staticDir === undefined ? undefined : readPageFiles(staticDir)
  if (files !== undefined) routes.notFound(nothingHere)
  return createServer({ maxHeaderSize: headMaxBytes }, (request, response) => {
    if (files !== undefined) response.setHeaders(PAGE_HEADERS)
    const file = files === undefined ? undefined : askedFile(files, request)
    if (file === undefined) void route(request, response)
    else answerPageFile(file, request, response)
  })
}

function askedFile(
  files: ReadonlyMap<string, PageFile>,
  { method, url }: IncomingMessage,
): PageFile | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const [path = ''] = (url ?? '').split('?', 1)
  return files.get(path)
}

/** A person gets something to read, a program what it gets elsewhere. */
function nothingHere(context: Context): Response {
  if (context.req.header('accept')?.includes('text/html')) return context.html(NOT_FOUND_PAGE, 404)
  return answer(new RookeryError('not_found', 'there is nothing at this address'))
}

/** Of what cannot be routed at all, such as a backslash in the path, and of what a route threw that is no error. */
function refusal(error: unknown, logger: Logger): Response {
  if (error instanceof RequestError) {
    return answer(new RookeryError('bad_request', "the request's target or its host is malformed"))
  }
  logger.error({ err: error }, 'a request could not be dealt with')
  return answer(new RookeryError('internal', 'the request could not be dealt with'))
}

function answer(error: RookeryError): Response {
  return Response.json({ ok: false, error: error.toBody() }, { status: error.status })
}
