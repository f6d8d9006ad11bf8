/**
 * The admin listener: metrics, status and health of the whole host on a port of its own. It has no password
 * for them, and listens on the loopback address by default. Whatever does something (`emit`) checks a token.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { cannotListen } from './exit-codes.ts'
import type { Logger } from './logger.ts'

export interface Health {
  readonly ready: boolean
  /** Why it is not ready. */
  readonly reason?: string
}

export interface AdminOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly logger: Logger
  /** Metrics of the whole host in Prometheus' text format. */
  readonly metrics: () => Promise<string>
  /** Any JSON value. */
  readonly status: () => Promise<unknown>
  /** Unset: there is no /readyz. */
  readonly health?: () => Health
  /** Serves /emit. */
  readonly emit?: Hono
}

export interface AdminListener {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
/** A client that sends nothing is disconnected. */
const HEAD_TIMEOUT_MS = 10_000

/** @throws ExitError `portInUse` when the address can't be listened on */
export async function startAdmin(options: AdminOptions): Promise<AdminListener> {
  const server = await listen(options)
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, url: `http://${host}:${port}`, close }
}

function createRoutes({ logger, metrics, status, health, emit }: AdminOptions): Hono {
  const routes = new Hono()
  routes.get('/', (c) => c.text('rookery: /metrics /status /healthz\n'))
  routes.get('/metrics', async (c) => c.body(await metrics(), 200, { 'content-type': METRICS_TYPE }))
  routes.get('/status', async (c) => c.json((await status()) as object))
  routes.get('/healthz', (c) => c.json({ status: 'ok' }))
  if (health !== undefined) {
    routes.get('/readyz', (c) => {
      const state = health()
      return c.json(state, state.ready ? 200 : 503)
    })
  }
  if (emit !== undefined) routes.route('/emit', emit)
  routes.onError((error, c) => {
    logger.error({ err: error, path: c.req.path }, 'an admin request failed')
    return c.json({ error: 'internal' }, 500)
  })
  return routes
}

async function listen(options: AdminOptions): Promise<Server> {
  const failed = (err: unknown) => options.logger.error({ err }, 'the admin listener failed')
  const answer = getRequestListener(createRoutes(options).fetch)
  const timeouts = { headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: HEAD_TIMEOUT_MS }
  const server = createServer(timeouts, (request, response) => {
    answer(request, response).catch(failed)
  })
  server.listen(options.port, options.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw cannotListen(`ADMIN_PORT ${options.port} on ADMIN_HOST ${options.host}`, error)
  }
  server.on('error', failed)
  return server
}
