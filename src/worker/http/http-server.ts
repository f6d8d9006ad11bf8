/**
 * The worker's HTTP server. It never listens: connections are handed to it. Serves the files of the page
 * first, then the application's routes. Socket.IO attaches itself in front of both.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { PAGE_HEADERS } from '../../core/page-headers.ts'
import type { HttpHandler } from '../../wire/app.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { AssetStore } from './asset-store.ts'
import { ASSETS, readFiles, type StaticFile, serveStaticFile, staticFiles } from './static-files.ts'

/** @param path of the request; a proxy may serve it below a path of its own, so the link is relative */
function notFoundPage(path: string): string {
  const up = '../'.repeat(path.split('/').length - 2)
  return `<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width" /><meta name="color-scheme" content="light dark" />
<title>Not found</title>
<h1>There is nothing at this address</h1>
<p><a href="${up === '' ? './' : up}">Go to the chat</a></p>
</html>
`
}

export interface PageFiles {
  /** Directory of the built page. */
  directory: string
  assets: AssetStore
}

export interface HttpServerOptions {
  routes: Hono
  /** The application's handler for what has no route. */
  mounted: () => HttpHandler | undefined
  /** Unset: no page is served. */
  page: PageFiles | undefined
  headMaxBytes: number
  /** A route has failed with something that is not meant for its caller. */
  onRouteError: (error: unknown) => void
}

export function createHttpServer(options: HttpServerOptions): Server {
  const { routes, page, headMaxBytes, onRouteError } = options
  const errorHandler = (error: unknown) => errorResponse(error, onRouteError)
  // An application that sets its own handles its errors itself.
  routes.onError((error, context) => {
    if (!('getResponse' in error)) return errorHandler(error)
    const response = error.getResponse()
    return context.newResponse(response.body, response)
  })
  const route = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler })
  if (page === undefined) {
    return createServer({ maxHeaderSize: headMaxBytes }, (request, response) => {
      const mounted = options.mounted()
      if (mounted === undefined || hasRoute(routes, request)) void route(request, response)
      else
        void serveMounted(mounted, { request, response, onRouteError }, () => void route(request, response))
    })
  }
  routes.notFound(notFound)
  const find = fileFinder(page)
  return createServer({ maxHeaderSize: headMaxBytes }, (request, response) => {
    response.setHeaders(PAGE_HEADERS)
    const answer = (file: StaticFile | undefined) => {
      if (file === undefined) void route(request, response)
      else serveStaticFile(file, request, response)
    }
    const file = find(request)
    if (file instanceof Promise) void file.then(answer)
    else answer(file)
  })
}

const hasRoute = ({ router }: Hono, { method = 'GET', url = '/' }: IncomingMessage): boolean =>
  router.match(method, url.split('?', 1)[0] ?? '/')[0].length > 0

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  onRouteError: (error: unknown) => void
}

/** @param pass serves what the handler passes on */
async function serveMounted(mounted: HttpHandler, exchange: Exchange, pass: () => void): Promise<void> {
  const { request, response, onRouteError } = exchange
  const fail = (error: unknown) => {
    onRouteError(error)
    if (response.headersSent) response.destroy()
    else response.writeHead(500, { 'Content-Type': 'text/plain' }).end('Internal Server Error')
  }
  try {
    await mounted(request, response, (error) => {
      if (error === undefined || error === null) pass()
      else fail(error)
    })
  } catch (error) {
    fail(error)
  }
}

/** Only for assets of another version does it have to read the disk. */
function fileFinder({ directory, assets }: PageFiles) {
  const contents = readFiles(directory)
  const files = staticFiles(contents)
  assets.keep(contents)
  return ({ method, url }: IncomingMessage): StaticFile | undefined | Promise<StaticFile | undefined> => {
    if (method !== 'GET' && method !== 'HEAD') return undefined
    const [path = ''] = (url ?? '').split('?', 1)
    return files.get(path) ?? (path.startsWith(ASSETS) ? assets.find(path) : undefined)
  }
}

/** A page for browsers, a JSON error for programs. */
function notFound(context: Context): Response {
  if (context.req.header('accept')?.includes('text/html')) {
    return context.html(notFoundPage(new URL(context.req.url).pathname), 404)
  }
  return jsonError(new RookeryError('not_found', 'there is nothing at this address'))
}

/**
 * For requests that can't be routed, such as a backslash in the path, and for thrown values that are not
 * errors.
 */
function errorResponse(error: unknown, onRouteError: (error: unknown) => void): Response {
  if (error instanceof RequestError) {
    return jsonError(new RookeryError('bad_request', "the request's target or its host is malformed"))
  }
  onRouteError(error)
  return jsonError(new RookeryError('internal', 'the request failed'))
}

function jsonError(error: RookeryError): Response {
  return Response.json({ ok: false, error: error.toBody() }, { status: error.status })
}
