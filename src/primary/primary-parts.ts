/**
 * Constructs and connects the parts of a host's primary: log, presence, relay, front door, supervisor,
 * limits.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { exportConfig, hiddenFromWorkers } from '../config/load.ts'
import type { Config, SettingKey } from '../config/schema.ts'
import { reportClock } from '../core/clock-report.ts'
import { HostClock } from '../core/host-clock.ts'
import { openEmbeddedLog } from '../log/embedded-log.ts'
import type { RoomLog } from '../log/room-log.ts'
import { createRegistry } from '../ops/metrics.ts'
import type { HostStatus } from '../wire/host-messages.ts'
import { roomTopic } from '../wire/topics.ts'
import { type Backplane, singleHostBackplane } from './backplane/index.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { admitRedisEmitters } from './emitter/index.ts'
import type { FrontDoor } from './front-door/index.ts'
import { createFrontDoor } from './front-door/index.ts'
import { knownHosts, ownStatus } from './host-status.ts'
import { Leases } from './leases/index.ts'
import { UserLimits } from './limits/index.ts'
import { PresenceNotifier } from './presence/index.ts'
import type { RoomInterests } from './relay/index.ts'
import { createHandlers, listenForWorkers, Relay, WatchedRooms } from './relay/index.ts'
import type { Development, SignalHandler, Supervisor } from './supervisor/index.ts'
import { createFork, createSupervisor, HostState, type SupervisedParts } from './supervisor/index.ts'

export interface PartsOptions {
  config: Config
  given: readonly SettingKey[]
  logger: Logger
  /** The random name of this life of the primary. */
  hostTag: string
  signals: SignalHandler
  development?: Development | undefined
}

export interface Parts extends SupervisedParts {
  clock: HostClock
  /** Undefined if the host works alone. */
  cluster: Cluster | undefined
  store: Store
  backplane: Backplane
  presence: PresenceNotifier
  limits: UserLimits
  supervisor: Supervisor
}

interface Store {
  log: RoomLog
  workerReady(): void
  workerExited(): void
}

/** Constructs everything but the workers; the supervisor forks those. */
export async function assemble(options: PartsOptions): Promise<Parts> {
  const { config, given, logger, hostTag, signals, development } = options
  const registry = createRegistry()
  const clock = openClock(logger, registry)
  const cluster =
    config.redisUrl === undefined
      ? undefined
      : openCluster({ config, self: hostTag, clock, logger, registry })
  const state = new HostState((event) => relay.publishEvent(null, event))
  const surroundings = { config, logger, registry, clock, cluster, state }
  const frontDoor = createFrontDoor({
    config,
    forwarding: cluster?.forwarding,
    waitingFor: () => state.reason ?? state.workers,
    logger,
    registry,
  })
  const store =
    cluster === undefined
      ? await openOwnStore(surroundings)
      : { log: cluster.log, workerReady() {}, workerExited() {} }
  const status = () => ownStatus(frontDoor, state)
  const backplane = await joinHosts(surroundings, { frontDoor, status, self: hostTag })
  const presence = new PresenceNotifier(
    (room, event) => relay.publishEvent(roomTopic(room), event),
    registry,
    cluster === undefined ? undefined : { backplane, logger, registry },
  )
  const rooms = new WatchedRooms({ log: store.log, onLate: (room) => relay.publishBehind(room) })
  const limits = createLimits(surroundings, backplane)
  const leases = new Leases({
    self: backplane.self,
    shared:
      cluster === undefined ? undefined : { connection: cluster.connection, cluster: config.clusterName },
    logger,
    now: () => performance.now(),
  })
  const linkSecret = randomBytes(24).toString('base64url')
  const relay = await Relay.listen({
    listen: (server) => listenForWorkers(config.dataDir, server),
    secret: linkSecret,
    handlers: createHandlers({
      log: store.log,
      presence,
      limits,
      leases,
      hosts: () => knownHosts({ name: config.hostName, status: status() }, backplane),
    }),
    logger,
    registry,
    backplane,
    ...(cluster === undefined ? {} : { rooms: roomInterests(presence, rooms) }),
  })
  if (cluster !== undefined && config.emitter === 'on')
    admitRedisEmitters({ key: config.emitterKey, connection: cluster.connection, relay, logger, registry })
  // Not at the exit: the worker's last frames may still have to be read.
  relay.onWorkerGone((worker) => {
    presence.dropWorker(worker)
    limits.workerGone(worker)
    leases.workerGone(worker)
  })
  const parts = {
    ...surroundings,
    signals,
    store,
    backplane,
    relay,
    presence,
    limits,
    frontDoor,
    development,
  }
  connectParts(parts)
  const linkPath = relay.socket.path
  const boot = {
    host: config.hostName,
    linkPath,
    linkSecret,
    config: exportConfig(config),
    hasSharedLog: config.redisUrl !== undefined,
    given: [...given],
  }
  const fork = createFork({ hostTag, boot, hidden: hiddenFromWorkers(config), clock, registry })
  return { ...parts, supervisor: createSupervisor(parts, afterLook(relay, fork)) }
}

/** A new worker finds the link also when its socket has vanished since the last look at it. */
function afterLook<T>({ socket }: Relay, fork: (number: number) => T): (number: number) => T {
  return (number) => {
    if (!socket.isInPlace()) socket.restore()
    return fork(number)
  }
}

/** What a host follows of a room besides its topic: presence on other hosts, and log entries. */
function roomInterests(presence: PresenceNotifier, rooms: WatchedRooms): RoomInterests {
  return {
    want(room) {
      presence.want(room)
      return rooms.want(room)
    },
    release(room) {
      presence.release(room)
      rooms.release(room)
    },
  }
}

function openClock(logger: Logger, registry: Registry): HostClock {
  const jumps = new Counter({
    name: 'rookery_clock_jumps_total',
    help: 'Jumps of the clock of this machine',
    registers: [registry],
  })
  return new HostClock({
    onEvent: reportClock({ logger, owner: 'this machine', count: () => jumps.inc() }),
  })
}

type Surroundings = Pick<Parts, 'config' | 'logger' | 'registry' | 'clock' | 'cluster'>

async function openOwnStore({ config, logger, registry, clock }: Surroundings): Promise<Store> {
  const log = await openEmbeddedLog({
    directory: config.dataDir,
    retention: { messages: config.retentionMessages, days: config.retentionDays },
    clock: () => clock.now(),
    canJudgeAges: () => clock.canJudgeAges(),
    logger,
    registry,
  })
  return { log, workerReady: () => void log.refreshReaders(), workerExited: () => log.reapDeadReaders() }
}

interface OwnHost {
  frontDoor: FrontDoor
  status: () => HostStatus
  self: string
}

async function joinHosts({ config, cluster }: Surroundings, { frontDoor, status, self }: OwnHost) {
  if (cluster === undefined) return singleHostBackplane(self)
  const { port } = await frontDoor.listenForHosts(config.forwardPort, config.forwardHost ?? config.host)
  return cluster.join(port, status)
}

function createLimits({ config, cluster, logger, registry }: Surroundings, backplane: Backplane): UserLimits {
  const shared =
    cluster === undefined
      ? undefined
      : { connection: cluster.connection, cluster: config.clusterName, backplane }
  return new UserLimits({ settings: config, shared, logger, registry })
}

/** Connects the event listeners between the parts. */
function connectParts({ store, relay, state, backplane, frontDoor }: Omit<Parts, 'supervisor'>): void {
  store.log.onEntry((entry) => relay.publishEntry(roomTopic(entry.room), entry))
  store.log.onReset(({ room }) => relay.publishBehind(room))
  store.log.onHealth((reason) => state.set('log', reason))
  backplane.onSubscriptionHealth((reason) => state.set('hosts', reason))
  backplane.onHost(({ type, host }) => {
    if (type === 'gone') frontDoor.hostGone(host.host)
  })
}
