/**
 * The worker's HTTP server: it never listens, connections are handed to it. Static files first, then the routes of the
 * application. Socket.IO attaches itself in front of both.
 */
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import sirv from 'sirv'

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
}

export function createHttpServer({ routes, staticDir, headMaxBytes }: HttpServerOptions): Server {
  const route = getRequestListener(routes.fetch, { overrideGlobalObjects: false })
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
    if (files === undefined) next()
    else files(request, response, next)
  })
}
