/**
 * The primary of a host, put together: log, presence, relay, front door, supervisor, admin. It constructs and orders;
 * what each part does is in its own file. It runs no application code.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { exportConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { createHostTag } from '../core/session-id.ts'
import { openEmbeddedLog } from '../log/embedded-log.ts'
import type { RoomLog } from '../log/room-log.ts'
import { type AdminListener, startAdmin } from '../ops/admin.ts'
import { showBanner } from '../ops/banner.ts'
import { ExitError, exitCodes } from '../ops/exit-codes.ts'
import { createRegistry } from '../ops/metrics.ts'
import { claimDataDir } from '../ops/pid-file.ts'
import { RedisUnfit } from '../redis/server-check.ts'
import { roomTopic } from '../wire/topics.ts'
import { type Backplane, soloBackplane } from './backplane.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { createFork } from './fork.ts'
import { FrontDoor, frontDoorLimits } from './front-door.ts'
import type { HandOffTarget } from './hand-off.ts'
import { createHandlers } from './handlers.ts'
import { watchForHangs } from './hang-watch.ts'
import { claimLinkPath } from './host-socket.ts'
import { HostState } from './host-state.ts'
import { UserLimits } from './limits.ts'
import { createMetricsView, workerStatus } from './observe.ts'
import { listenForOrders, type Orders } from './orders.ts'
import { PresenceFeed } from './presence-feed.ts'
import { Relay } from './relay.ts'
import type { RoomFeeds } from './relay-wanted.ts'
import { Supervisor } from './supervisor.ts'
import { WatchedRooms } from './watched-rooms.ts'
import type { ForkedWorker } from './worker-process.ts'

/** What comes after the last worker's end (link, log, admin) gets so long. */
const STOP_MARGIN_MS = 3_000

export interface PrimaryOptions {
  config: Config
  logger: Logger
}

interface Parts extends PrimaryOptions {
  registry: Registry
  orders: Orders
  /** Undefined where one host works alone. */
  cluster: Cluster | undefined
  store: Store
  backplane: Backplane
  state: HostState
  relay: Relay
  presence: PresenceFeed
  limits: UserLimits
  frontDoor: FrontDoor
  supervisor: Supervisor
}

interface Store {
  log: RoomLog
  /** A worker's process has ended: what it held of the log is free. */
  workerExited(): void
}

/** @returns the exit code, when this host's time is over */
export async function runPrimary({ config, logger }: PrimaryOptions): Promise<number> {
  const orders = listenForOrders(logger)
  const pidFile = claimDataDir(config.dataDir, logger)
  try {
    return await Promise.race([serve({ config, logger }, orders), orders.crashed])
  } finally {
    pidFile.release()
  }
}

async function serve({ config, logger }: PrimaryOptions, orders: Orders): Promise<number> {
  const startedAt = performance.now()
  const linkPath = await claimLinkPath(config.dataDir)
  const parts = await assemble({ config, logger }, orders, linkPath)
  const { port } = await parts.frontDoor.listen(config.port, config.host)
  const admin = await openAdmin(parts)
  const endWatch = watchWorkers(parts)
  const stopped = await Promise.race([orders.stopped, begin(parts)])
  if (stopped === undefined) announceReady(parts, { port, adminPort: admin.port, startedAt })

  const order = await orders.stopped
  logger.info({ reason: order.reason }, 'stopping')
  endWatch()
  const inTime = await within(config.stopDeadlineMs + STOP_MARGIN_MS, shutDown(parts, admin))
  logger.info('stopped')
  if (order.exitCode !== exitCodes.ok.code) return order.exitCode
  return inTime ? exitCodes.ok.code : exitCodes.stopDeadline.code
}

/** Workers are forked when there is something for them to stand on. Resolves when all of them are ready. */
async function begin({ cluster, supervisor, orders }: Parts): Promise<undefined> {
  const stopped = await Promise.race([orders.stopped, cluster?.connection.ready.catch(explain)])
  if (stopped !== undefined) return undefined
  supervisor.start()
  await supervisor.allReady
  return undefined
}

function explain(error: unknown): never {
  if (error instanceof RedisUnfit) throw new ExitError('redisUnfit', error.message, { cause: error })
  throw error
}

/** @returns false when the work said so or was not done in time */
async function within(deadlineMs: number, work: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs)
  })
  const inTime = await Promise.race([work, overdue])
  clearTimeout(timer)
  return inTime
}

function watchWorkers({ config, logger, relay, supervisor }: Parts): () => void {
  return watchForHangs({
    timeoutMs: config.workerHangTimeoutMs,
    ready: () => supervisor.list().flatMap(({ name, state }) => (state === 'ready' ? [name] : [])),
    ask: (worker, options) => relay.request(worker, 'worker.status', null, options),
    onHung: (worker, reason) => supervisor.killHung(worker, reason),
    logger,
  })
}

async function assemble(
  { config, logger }: PrimaryOptions,
  orders: Orders,
  linkPath: string,
): Promise<Parts> {
  const registry = createRegistry()
  const hostTag = createHostTag()
  const cluster =
    config.redisUrl === undefined ? undefined : openCluster({ config, self: hostTag, logger, registry })
  const state = new HostState((event) => relay.publishEvent(null, event))
  const surroundings = { config, logger, registry, cluster, state }
  const frontDoor = createFrontDoor(surroundings)
  const store =
    cluster === undefined ? await openOwnStore(surroundings) : { log: cluster.log, workerExited() {} }
  const backplane = await joinHosts(surroundings, frontDoor, hostTag)
  const presence = new PresenceFeed(
    (room, event) => relay.publishEvent(roomTopic(room), event),
    registry,
    cluster === undefined ? undefined : { backplane, logger, registry },
  )
  const watched = new WatchedRooms({ log: store.log, late: (room) => relay.publishBehind(room) })
  const limits = createLimits(surroundings, backplane)
  const linkSecret = randomBytes(24).toString('base64url')
  const relay = await Relay.listen({
    path: linkPath,
    secret: linkSecret,
    handlers: createHandlers({ log: store.log, presence, limits }),
    logger,
    registry,
    backplane,
    ...(cluster === undefined ? {} : { rooms: hostFeeds(presence, watched) }),
  })
  // Not at the exit: what the worker said last may still have to be read.
  relay.onWorkerGone((worker) => {
    presence.dropWorker(worker)
    limits.workerGone(worker)
  })
  const parts = { ...surroundings, orders, store, backplane, relay, presence, limits, frontDoor }
  connectParts(parts)
  const boot = { host: config.hostName, linkPath, linkSecret, config: exportConfig(config) }
  return { ...parts, supervisor: supervise(parts, createFork({ hostTag, boot, registry })) }
}

/** What a host hears of a room besides its topic: who is there on other hosts, and what is appended there. */
function hostFeeds(presence: PresenceFeed, watched: WatchedRooms): RoomFeeds {
  return {
    wanted(room) {
      presence.wanted(room)
      return watched.wanted(room)
    },
    unwanted(room) {
      presence.unwanted(room)
      watched.unwanted(room)
    },
  }
}

type Surroundings = Pick<Parts, 'config' | 'logger' | 'registry' | 'cluster' | 'state'>

async function openOwnStore({ config, logger, registry }: Surroundings): Promise<Store> {
  const log = await openEmbeddedLog({
    directory: config.dataDir,
    retention: { messages: config.retentionMessages, days: config.retentionDays },
    clock: Date.now,
    logger,
    registry,
  })
  return { log, workerExited: () => log.reapDeadReaders() }
}

async function joinHosts({ config, cluster }: Surroundings, frontDoor: FrontDoor, self: string) {
  if (cluster === undefined) return soloBackplane(self)
  const { port } = await frontDoor.listenForHosts(config.forwardPort, config.forwardHost ?? config.host)
  return cluster.join(port)
}

function createLimits({ config, cluster, logger, registry }: Surroundings, backplane: Backplane): UserLimits {
  const shared =
    cluster === undefined
      ? undefined
      : { connection: cluster.connection, cluster: config.clusterName, backplane }
  return new UserLimits({ settings: config, shared, logger, registry })
}

/** Who tells whom, once all are there. */
function connectParts({ store, relay, state, backplane, frontDoor }: SupervisedParts): void {
  store.log.onEntry((entry) => relay.publishEntry(roomTopic(entry.room), entry))
  store.log.onReset(({ room }) => relay.publishBehind(room))
  store.log.onHealth((reason) => state.set('log', reason))
  backplane.onHearing((reason) => state.set('hosts', reason))
  backplane.onHost(({ type, host }) => {
    if (type === 'gone') frontDoor.hostGone(host.host)
  })
}

function createFrontDoor({ config, logger, registry, cluster, state }: Surroundings): FrontDoor {
  return new FrontDoor({
    forwarding: cluster?.forwarding,
    waitingFor: () => state.reason,
    logger,
    registry,
    answers: {},
    now: () => performance.now(),
    limits: {
      ...frontDoorLimits,
      headBytes: config.headMaxBytes,
      headTimeoutMs: config.headTimeoutMs,
      pendingHeads: config.pendingHeads,
      queueLength: config.handoffQueue,
      queueTimeoutMs: config.handoffTimeoutMs,
      admissionPerSecond: config.admissionRate,
      backlog: config.backlog,
    },
  })
}

type SupervisedParts = Omit<Parts, 'supervisor'>

function supervise(parts: SupervisedParts, fork: (number: number) => ForkedWorker): Supervisor {
  const { config, logger, registry, relay, frontDoor, store, orders, state } = parts
  const supervisor = new Supervisor(
    {
      workers: config.workers,
      bootTimeoutMs: config.workerBootTimeoutMs,
      drainMs: config.drainMs,
      stopDeadlineMs: config.stopDeadlineMs,
      fork,
      logger,
      registry,
      now: () => performance.now(),
    },
    {
      ready: (worker) => {
        frontDoor.addWorker(toTarget(worker, frontDoor))
        state.tellAgain()
      },
      draining: (name) => frontDoor.drainWorker(name),
      exited: (name) => {
        frontDoor.removeWorker(name)
        relay.removeWorker(name)
        store.workerExited()
      },
      gaveUp: (reason) => orders.stop(`workers keep crashing: ${reason}`, exitCodes.crashLoop.code),
    },
  )
  orders.onReload(() => supervisor.reload())
  orders.onHurry(() => supervisor.kill())
  return supervisor
}

/** The worker as the front door needs it; what the worker reports of its connections goes there too. */
function toTarget(worker: ForkedWorker, frontDoor: FrontDoor): HandOffTarget {
  const { name, tag, process } = worker
  worker.onControl((message) => {
    if (message.type === 'rookery:taken') frontDoor.taken(name, message)
    else if (message.type === 'sticky:connection') frontDoor.sessionOpened(name)
    else if (message.type === 'sticky:disconnection') frontDoor.sessionClosed(name)
  })
  return { name, tag, channel: process }
}

function openAdmin(parts: Parts): Promise<AdminListener> {
  const { config, logger, frontDoor, supervisor, state, backplane } = parts
  return startAdmin({
    host: config.adminHost,
    port: config.adminPort,
    logger,
    health: () =>
      supervisor.readyCount() > 0
        ? { ready: true }
        : { ready: false, reason: state.reason ?? 'no worker is ready' },
    metrics: createMetricsView(parts),
    status: async () => ({
      host: config.hostName,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
      degraded: state.reason,
      hosts: backplane.hosts(),
      assigned: frontDoor.counts(),
      workers: await workerStatus(parts),
    }),
  })
}

function announceReady(parts: Parts, facts: { port: number; adminPort: number; startedAt: number }): void {
  const { config, logger } = parts
  const readyMs = Math.round(performance.now() - facts.startedAt)
  const { port, adminPort } = facts
  logger.info({ port, adminPort, workers: config.workers, dataDir: config.dataDir, readyMs }, 'ready')
  showBanner(config, { port, adminPort })
  // pm2's `wait_ready`; without such a parent there is nobody to tell.
  process.send?.('ready', undefined, undefined, (error: Error | null) => {
    if (error !== null) logger.warn({ err: error }, 'the process manager could not be told')
  })
}

/** @returns whether every worker left by itself */
async function shutDown(parts: Parts, admin: AdminListener): Promise<boolean> {
  const { config, frontDoor, supervisor, presence, limits, relay, store, backplane, cluster } = parts
  frontDoor.stopAccepting()
  frontDoor.moveForwarded(config.drainMs)
  const killed = await supervisor.stop()
  frontDoor.close()
  presence.close()
  limits.close()
  await relay.close()
  await backplane.close()
  await store.log.close()
  cluster?.connection.close()
  await admin.close()
  return killed === 0
}
