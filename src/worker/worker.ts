/**
 * The composition of a worker process: link, log reader, HTTP, Socket.IO, the application. It exits when the
 * primary tells it to or is gone.
 */

import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { setupWorker } from '@socket.io/sticky'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Server, type ServerOptions } from 'socket.io'
import { appSettings } from '../config/app-settings.ts'
import { importConfig, type WorkerConfig } from '../config/load.ts'
import { environmentName } from '../config/setting.ts'
import { HostClock } from '../core/host-clock.ts'
import { generateSessionId, hostTagOf } from '../core/session-id.ts'
import { withTimeout } from '../core/with-timeout.ts'
import { openEmbeddedReader } from '../log/embedded-reader.ts'
import type { RoomLogReader } from '../log/room-log.ts'
import { descriptorLimit } from '../ops/descriptors.ts'
import { createLogger } from '../ops/logger.ts'
import { createRegistry } from '../ops/metrics.ts'
import type { AppContext, DrainHooks, HttpHandler, Mountable } from '../wire/app.ts'
import type { WorkerBoot } from '../wire/control.ts'
import { CLUSTER_ANSWER_TIMEOUT_MS } from '../wire/host-timeouts.ts'
import { createLinkAdapter } from './adapter/index.ts'
import {
  type ChosenOptions,
  ClusterTasks,
  checkOptions,
  checkPlacement,
  chooseOptions,
  clusterInfo,
  httpHandler,
  keepOwnParts,
  StopHooks,
} from './app/index.ts'
import { type AppErrors, guardHttp, guardListeners, guardMiddleware } from './app-errors/index.ts'
import { type LoadedApp, loadApp } from './app-loader.ts'
import { ClusterStateWatch } from './cluster-state.ts'
import {
  checkOrigins,
  createFanOut,
  endPollsAsLost,
  HandBack,
  limitConnects,
  PlainWriteServer,
  reportReceivedHandles,
  tagSocketIds,
  unsentBytes,
  watchOversizedPackets,
  watchSlowClients,
} from './connections/index.ts'
import { receiveBoot, sendControl, sendToPrimary } from './control.ts'
import { createAppErrors, guardedAdapter } from './create-app-errors.ts'
import { drainConnections } from './drain.ts'
import {
  AssetStore,
  createHttpServer,
  endFailed,
  KeepAlive,
  limitBodySilence,
  OpenRequests,
  type PageFiles,
} from './http/index.ts'
import { type DrainableWorker, Lifetime } from './lifetime.ts'
import { createLimits } from './limits.ts'
import { Link } from './link/index.ts'
import { watchPrimary } from './primary-watch.ts'
import { createLinkLogReader, createRooms } from './rooms/index.ts'

const STATIC_DIR = fileURLToPath(new URL('../web', import.meta.url))

/** Share of a worker's file descriptors for connections that are kept. */
const KEPT_SHARE = 0.25

/** What a worker needs after its drain to close its parts and exit. */
const EXIT_MS = 500

/** How long a worker that ends waits until its idle connections are back at the primary. */
const HAND_BACK_MS = 500

/** Least time between two looks at `Object.prototype`. */
const HIDE_EVERY_MS = 1_000

/**
 * pm2, systemd and a terminal's Ctrl-C signal all processes. A worker ignores these signals: the primary
 * decides.
 */
const IGNORED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Chosen = ChosenOptions & Pick<LoadedApp, 'app'>

interface Own {
  boot: WorkerBoot
  config: WorkerConfig
  logger: Logger
}

interface Parts extends Own, Chosen {
  registry: Registry
  /** The primary says when it jumps. */
  clock: HostClock
  link: Link
  reader: RoomLogReader
  errors: AppErrors
}

/** Runs until the worker has to exit. @returns the exit code */
export async function runWorker(): Promise<number> {
  for (const signal of IGNORED_SIGNALS) process.on(signal, () => undefined)
  // Child processes of the application would inherit it.
  delete process.env.ROOKERY_WORKER
  const boot = await receiveBoot()
  const config = importConfig(boot.config)
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    bindings: { host: boot.host, worker: boot.name },
  })
  const lifetime = new Lifetime(logger)
  process.on('uncaughtException', (error) => {
    try {
      lifetime.onUncaught(error)
    } catch (failure) {
      lifetime.crash(failure, 'an error could not be handled: the worker exits')
    }
  })
  try {
    return await Promise.race([serve({ boot, config, logger }, lifetime), lifetime.ended])
  } catch (error) {
    lifetime.startFailed(error)
    return 1
  }
}

async function serve(own: Own, lifetime: Lifetime): Promise<number> {
  const registry = createRegistry()
  const link = await Link.connect({ ...own, registry })
  // Before the application is loaded, which may take long.
  link.onClose(() => lifetime.onPrimaryGone('the link to the primary is gone'))
  const reader = own.boot.hasSharedLog
    ? createLinkLogReader(link, registry)
    : await openEmbeddedReader({ directory: own.config.dataDir })
  const clock = new HostClock({ state: own.boot.clock })
  const errors = createAppErrors({ ...own, registry }, lifetime)
  lifetime.isLoadingApp = own.config.app !== undefined
  const loaded = await loadApp(own.config.app)
  errors.hideInherited()
  const options = chosenOptions(own, loaded)
  const worker = await assemble({ ...own, registry, clock, link, reader, errors, ...options })
  watchPrimary({
    link,
    timeoutMs: own.config.primaryHangTimeoutMs,
    logger: own.logger,
    isInspected: () => lifetime.primaryInspected,
  })
  // Until now the primary tries again in its own way.
  lifetime.onUncaught = (error) => errors.uncaught(error)
  sendControl(own.logger, { type: 'rookery:ready', ...options.door })
  return lifetime.drainWhenTold(worker)
}

/** @throws when the application's options are wrong */
function chosenOptions({ boot, config, logger }: Own, { app, options, placement }: LoadedApp): Chosen {
  const exported = config.app === undefined ? undefined : checkOptions(options)
  const chosen = chooseOptions({ config, given: boot.given }, exported)
  for (const [option, setting] of Object.entries(chosen.overridden))
    logger.info({ option, setting: environmentName(setting) }, "a setting overrides the application's option")
  if (exported?.connectionStateRecovery !== undefined)
    logger.warn('connectionStateRecovery: no session is recovered yet; each connection begins a new one')
  return { app, ...chosen, door: { ...chosen.door, placement: checkPlacement(placement) } }
}

async function assemble(parts: Parts): Promise<DrainableWorker> {
  const { boot, config, logger, registry, link, reader, errors } = parts
  const routes = new Hono()
  let draining = false
  routes.get('/readyz', (c) => {
    // The next check has to reach the primary, which knows of a stop first.
    c.header('connection', 'close')
    if (draining) return c.json({ ready: false, reason: 'draining' }, 503)
    return c.json({ ready: true, host: hostTagOf(boot.tag) })
  })
  let mounted: HttpHandler | undefined
  const httpServer = createHttpServer({
    routes,
    mounted: () => mounted,
    page: config.app === undefined ? pageFiles(parts) : undefined,
    headMaxBytes: config.headMaxBytes,
    onRouteError: (error) => errors.report(error, errors.current ?? { where: 'http' }),
  })
  const io = new Server(httpServer, socketOptions(parts))
  guardListeners(io, errors, logger)
  guardMiddleware(io, errors, logger)
  guardHttp(httpServer, io, { errors, endResponse: endFailed })
  // After Engine.IO, which hides its own requests from listeners that were added before it.
  const requests = new OpenRequests(httpServer, logger)
  watchOversizedPackets(httpServer, io, { maxBytes: parts.server.maxHttpBufferSize, logger, registry })
  limitBodySilence(httpServer, { silenceMs: config.bodyTimeoutMs, logger, registry })
  const handBack = new HandBack(sendToPrimary, { logger, registry })
  const keepAlive = keepConnections(httpServer, parts, handBack)
  endPollsAsLost(io)
  io.engine.generateId = () => generateSessionId(boot.tag)
  limitConnects(io, registry, () => performance.now())
  tagSocketIds(io, boot.tag)
  const hooks: DrainHooks[] = []
  const state = new ClusterStateWatch(logger)
  link.onEvent((event) => state.update(event))
  answerPrimary(link, io, registry)
  keepOwnParts(io, httpServer)
  const stopHooks = new StopHooks(logger)
  const tasks = clusterTasks(parts)
  const mount = (handler: Mountable) => {
    if (mounted !== undefined) throw new Error('context.mount() has been called: one handler per worker')
    mounted = httpHandler(handler)
  }
  await parts.app(io, createContext({ io, parts, routes, state, hooks, stopHooks, tasks, mount }))
  errors.hideInherited()
  // A library may be loaded later.
  setInterval(() => errors.hideInherited(), HIDE_EVERY_MS).unref()
  const stopWatch = watchSlowClients(io, {
    maxBytes: config.slowClientMaxBytes,
    patienceMs: config.slowClientMs,
    logger,
    registry,
  })
  reportReceivedHandles(
    (message) => sendControl(logger, message),
    (socket, { client, data }) => {
      // A session of a third host can't be reached from here: the connection ends with its response.
      if (client === undefined) keepAlive.received(socket, data)
    },
  )
  setupWorker(io)
  return {
    drain: async ({ spreadMs, deadlineMs }) => {
      const endsAt = performance.now() + deadlineMs - EXIT_MS
      draining = true
      keepAlive.drain()
      const handedBack = handBack.empty()
      const tasksEnded = tasks.close(spreadMs)
      await drainConnections({ io, requests, hooks, spreadMs, logger })
      await withTimeout(HAND_BACK_MS, handedBack, () => undefined)
      await tasksEnded
      const leftMs = () => Math.max(0, endsAt - performance.now())
      await errors.disconnects.settled(stopHooks.spare(leftMs()))
      await stopHooks.run(leftMs())
    },
    close: async () => {
      stopWatch()
      // Not io.close(): the HTTP server never listened, and no connection is left.
      for (const namespace of io._nsps.values()) await namespace.adapter.close()
      await link.close()
      await reader.close()
    },
  }
}

function keepConnections(
  server: ReturnType<typeof createHttpServer>,
  { boot, config, registry, door }: Parts,
  handBack: HandBack,
): KeepAlive {
  const descriptors = descriptorLimit() ?? Number.POSITIVE_INFINITY
  return new KeepAlive(server, {
    idleMs: config.keepAliveMs,
    maxConnections: Math.min(config.keepAliveConnections, Math.floor(descriptors * KEPT_SHARE)),
    headMaxBytes: config.headMaxBytes,
    tag: boot.tag,
    endpoint: door.endpoint,
    handBack: (socket, bytes) => handBack.add(socket, bytes),
    registry,
    now: () => performance.now(),
  })
}

function clusterTasks({ link, logger, registry }: Parts): ClusterTasks {
  return new ClusterTasks({
    requests: {
      hold: (name) => link.request('lease.hold', { name }),
      ran: (name) => link.request('lease.ran', { name }),
      end: async (name) => {
        await link.request('lease.end', { name })
      },
    },
    logger,
    registry,
    now: () => performance.now(),
  })
}

function pageFiles({ config, clock, logger, registry }: Parts): PageFiles {
  const directory = join(config.dataDir, 'page-assets')
  return { directory: STATIC_DIR, assets: new AssetStore({ directory, clock, logger, registry }) }
}

function socketOptions({
  boot,
  link,
  logger,
  registry,
  server,
  origins,
  errors,
}: Parts): Partial<ServerOptions> {
  const timeout = boot.hasSharedLog ? { answerTimeoutMs: CLUSTER_ANSWER_TIMEOUT_MS } : {}
  return {
    ...server,
    adapter: createLinkAdapter(link, {
      logger,
      registry,
      tag: boot.tag,
      ...timeout,
      ...guardedAdapter(errors),
    }),
    wsEngine: PlainWriteServer,
    ...(origins === undefined
      ? {}
      : { allowRequest: checkOrigins({ origins, ...nextCheck(server), logger, registry }) }),
  }
}

const nextCheck = ({ allowRequest }: Partial<ServerOptions>) =>
  allowRequest === undefined ? {} : { next: allowRequest }

interface ContextParts {
  io: Server
  parts: Parts
  routes: Hono
  state: ClusterStateWatch
  hooks: DrainHooks[]
  stopHooks: StopHooks
  tasks: ClusterTasks
  mount: AppContext['mount']
}

function createContext({
  io,
  parts,
  routes,
  state,
  hooks,
  stopHooks,
  tasks,
  mount,
}: ContextParts): AppContext {
  const { boot, config, clock, link, logger, registry, errors } = parts
  return {
    host: boot.host,
    worker: boot.name,
    logger,
    settings: appSettings(config),
    http: routes,
    metrics: registry,
    rooms: createRooms(parts),
    limits: createLimits(parts),
    cluster: clusterInfo(
      () => link.request('cluster.hosts', null),
      () => clock.now(),
    ),
    mount,
    once: (name, task) => tasks.once(name, task),
    every: (name, intervalMs, task) => tasks.every(name, intervalMs, task),
    fanOut: createFanOut(io, config.slowClientBytes),
    now: () => clock.now(),
    unsentBytes: (socket) => unsentBytes(socket.conn),
    onClusterState: (listener) => state.listen(listener),
    onDrain: (added) => {
      hooks.push(added)
    },
    onStop: (hook) => stopHooks.add(hook),
    onError: (listener) => errors.listen(listener),
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
