/**
 * The worker's HTTP server: it never listens, connections are handed to it. Static files first, then the routes of the
 * application. Socket.IO attaches itself in front of both.
 */
import { createServer, type Server } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Logger } from 'pino'
import sirv from 'sirv'
import { RookeryError } from '../wire/errors.ts'

const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

export interface HttpServerOptions {
  routes: Hono
  /** Directory of static files; none are served without it. */
  staticDir: string | undefined
  headMaxBytes: number
  logger: Logger
}

export function createHttpServer({ routes, staticDir, headMaxBytes, logger }: HttpServerOptions): Server {
  const errorHandler = (error: unknown) => refusal(error, logger)
  const route = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler })
  const files =
    staticDir === undefined
      ? undefined
      : sirv(staticDir, {
          etag: true,
          setHeaders: (response) => {
            for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value)
          },
        })
  return createServer({ maxHeaderSize: headMaxBytes }, (request, response) => {
    const next = () => void route(request, response)
    if (files === undefined) return next()
    // The files are small, and sirv throws at a range that ends before it begins.
    delete request.headers.range
    return files(request, response, next)
  })
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
