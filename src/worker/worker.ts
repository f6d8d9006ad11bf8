/**
 * A worker process, put together: link, log reader, HTTP, Socket.IO, the application. It decides nothing: it constructs,
 * orders, and leaves when the primary says so or is gone.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { setupWorker } from '@socket.io/sticky'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Server } from 'socket.io'
import { appSettings } from '../config/app-settings.ts'
import { importConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { generateSessionId } from '../core/session-id.ts'
import { openEmbeddedReader } from '../log/embedded-reader.ts'
import type { RoomLogReader } from '../log/room-log.ts'
import { createLogger } from '../ops/logger.ts'
import { createRegistry } from '../ops/metrics.ts'
import type { AppContext, DrainHooks } from '../wire/app.ts'
import { primaryControl, type WorkerBoot, type WorkerControl, workerBoot } from '../wire/control.ts'
import { CLUSTER_ANSWER_TIMEOUT_MS } from '../wire/host-timeouts.ts'
import { createLinkAdapter } from './adapter/adapter.ts'
import { loadApp } from './app-loader.ts'
import { ClusterStateWatch } from './cluster-state.ts'
import { limitConnects } from './connections/connect-rate.ts'
import { createFanOut } from './connections/fan-out.ts'
import { reportReceivedHandles } from './connections/received-handles.ts'
import { watchSlowClients } from './connections/slow-clients.ts'
import { tagSocketIds } from './connections/socket-ids.ts'
import { unsentBytes } from './connections/unsent-bytes.ts'
import { PlainWriteServer } from './connections/websocket-server.ts'
import { drainConnections } from './drain.ts'
import { boundBodies } from './http/body-deadline.ts'
import { createHttpServer } from './http/http-server.ts'
import { OpenRequests } from './http/open-requests.ts'
import { createLimits } from './limits.ts'
import { Link } from './link/link.ts'
import { watchPrimary } from './primary-watch.ts'
import { createLinkLogReader } from './rooms/link-log-reader.ts'
import { createRooms } from './rooms/rooms.ts'

const STATIC_DIR = fileURLToPath(new URL('../web', import.meta.url))

/** A request body that takes longer is cut off. */
const BODY_TIMEOUT_MS = 60_000

/** pm2, systemd and a terminal's Ctrl-C signal the whole tree: what a worker does is the primary's to say. */
const PRIMARYS_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

interface Parts {
  boot: WorkerBoot
  config: Config
  logger: Logger
  registry: Registry
  link: Link
  reader: RoomLogReader
}

/** @returns the exit code, when this worker's time is over */
export async function runWorker(): Promise<number> {
  for (const signal of PRIMARYS_SIGNALS) process.on(signal, () => undefined)
  const boot = workerBoot.parse(JSON.parse(process.env.ROOKERY_WORKER ?? 'null'))
  // It holds secrets, and whatever the application starts would have them too.
  delete process.env.ROOKERY_WORKER
  const config = importConfig(boot.config)
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    bindings: { host: boot.host, worker: boot.name },
  })
  const orders = new Orders(logger)
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught: the worker ends')
    fail(logger, error)
    orders.end()
  })
  try {
    return await Promise.race([serve({ boot, config, logger }, orders), orders.ended])
  } catch (error) {
    logger.fatal({ err: error }, 'worker could not start')
    fail(logger, error)
    return 1
  }
}

async function serve(own: Pick<Parts, 'boot' | 'config' | 'logger'>, orders: Orders): Promise<number> {
  const registry = createRegistry()
  const link = await Link.connect({ ...own, registry })
  // An application may take its time to load.
  link.onClose(() => orders.primaryGone('the link to the primary is gone'))
  const reader =
    own.config.redisUrl === undefined
      ? await openEmbeddedReader({ directory: own.config.dataDir })
      : createLinkLogReader(link, registry)
  const worker = await assemble({ ...own, registry, link, reader })
  watchPrimary({ link, timeoutMs: own.config.primaryHangTimeoutMs, logger: own.logger })
  tell(own.logger, { type: 'rookery:ready' })
  return orders.carryOut(worker)
}

interface AssembledWorker {
  drain(spreadMs: number): Promise<void>
  close(): Promise<void>
}

async function assemble(parts: Parts): Promise<AssembledWorker> {
  const { boot, config, logger, registry, link, reader } = parts
  const routes = new Hono()
  let draining = false
  routes.get('/readyz', (c) =>
    draining ? c.json({ ready: false, reason: 'draining' }, 503) : c.json({ ready: true }),
  )
  const httpServer = createHttpServer({
    routes,
    staticDir: config.app === undefined ? STATIC_DIR : undefined,
    headMaxBytes: config.headMaxBytes,
    logger,
  })
  const io = new Server(httpServer, socketOptions(parts))
  // After Engine.IO, which keeps requests of its own from whoever listened before it.
  const requests = new OpenRequests(httpServer)
  boundBodies(httpServer, { timeoutMs: BODY_TIMEOUT_MS, registry })
  io.engine.generateId = () => generateSessionId(boot.tag)
  limitConnects(io, registry, () => performance.now())
  tagSocketIds(io, boot.tag)
  const hooks: DrainHooks[] = []
  const state = new ClusterStateWatch(logger)
  link.onEvent((event) => state.update(event))
  answerPrimary(link, io, registry)
  const app = await loadApp(config.app)
  await app(io, createContext({ parts, routes, state, hooks }))
  const endWatch = watchSlowClients(io, { maxBytes: config.slowClientMaxBytes, logger, registry })
  reportReceivedHandles((message) => tell(logger, message))
  setupWorker(io)
  return {
    drain: async (spreadMs) => {
      draining = true
      await drainConnections({ io, hooks, spreadMs, logger })
      await requests.idle()
    },
    close: async () => {
      endWatch()
      // Not io.close(): its HTTP server never listened, and it has no connection left.
      for (const namespace of io._nsps.values()) await namespace.adapter.close()
      await link.close()
      await reader.close()
    },
  }
}

function socketOptions({
  boot,
  config,
  link,
  logger,
  registry,
}: Parts): ConstructorParameters<typeof Server>[1] {
  const answers = config.redisUrl === undefined ? {} : { answerTimeoutMs: CLUSTER_ANSWER_TIMEOUT_MS }
  return {
    adapter: createLinkAdapter(link, { logger, registry, tag: boot.tag, ...answers }),
    wsEngine: PlainWriteServer,
    serveClient: false,
    maxHttpBufferSize: config.maxPacketBytes,
    pingInterval: config.pingIntervalMs,
    pingTimeout: config.pingTimeoutMs,
    connectTimeout: config.connectTimeoutMs,
    ...(config.corsOrigin === undefined ? {} : { cors: { origin: config.corsOrigin } }),
  }
}

interface ContextParts {
  parts: Parts
  routes: Hono
  state: ClusterStateWatch
  hooks: DrainHooks[]
}

function createContext({ parts, routes, state, hooks }: ContextParts): AppContext {
  const { boot, config, logger, registry } = parts
  return {
    host: boot.host,
    worker: boot.name,
    logger,
    settings: appSettings(config),
    http: routes,
    metrics: registry,
    rooms: createRooms(parts),
    limits: createLimits(parts),
    fanOut: createFanOut(config.slowClientBytes),
    unsentBytes: (socket) => unsentBytes(socket.conn),
    onClusterState: (listener) => state.listen(listener),
    onDrain: (added) => {
      hooks.push(added)
    },
  }
}

function answerPrimary(link: Link, io: Server, registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  link.handle('worker.alive', () => null)
  link.handle('worker.metrics', () => registry.getMetricsAsJSON())
  link.handle('worker.status', () => ({
    connections: io.engine.clientsCount,
    sockets: io.of('/').sockets.size,
    rooms: io.of('/').adapter.rooms.size,
    rssBytes: process.memoryUsage.rss(),
    eventLoopDelayMs: Math.round(delay.percentile(99) / 1e4) / 100,
  }))
}

/** What ends a worker: the primary's order to drain, or at once the primary's end or a fault of its own. */
class Orders {
  /** Resolves with the exit code when there is nothing left to do in order. */
  readonly ended: Promise<number>
  readonly #logger: Logger
  readonly #drain: Promise<{ spreadMs: number }>
  #end: (exitCode: number) => void = () => undefined
  #left = false

  constructor(logger: Logger) {
    this.#logger = logger
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    process.once('disconnect', () => this.primaryGone('the channel to the primary is gone'))
    this.#drain = new Promise((resolve) => {
      process.on('message', (message: unknown) => {
        const order = primaryControl.safeParse(message)
        if (!order.success) return
        if (order.data.type === 'rookery:ping') tell(logger, { type: 'rookery:pong' })
        else resolve({ spreadMs: order.data.spreadMs })
      })
    })
  }

  end(): void {
    this.#end(1)
  }

  primaryGone(reason: string): void {
    if (this.#left) return
    this.#logger.warn({ reason }, 'leaving')
    this.end()
  }

  /** @returns the exit code, when the primary has told it to leave and it has */
  async carryOut(worker: AssembledWorker): Promise<number> {
    const { spreadMs } = await this.#drain
    this.#logger.info({ spreadMs }, 'draining')
    await worker.drain(spreadMs)
    this.#left = true
    await worker.close()
    return 0
  }
}

function fail(logger: Logger, error: unknown): void {
  tell(logger, { type: 'rookery:failed', reason: error instanceof Error ? error.message : String(error) })
}

function tell(logger: Logger, message: WorkerControl): void {
  process.send?.(message, undefined, undefined, (error: Error | null) => {
    if (error !== null) logger.warn({ err: error, type: message.type }, 'the primary could not be told')
  })
}
