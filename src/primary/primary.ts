/**
 * Life cycle of a host's primary: claims the data directory, starts, announces that it is ready, and shuts
 * down in order. Its parts are in primary-parts.ts. Runs no application code.
 */
import type { Logger } from 'pino'
import type { Config, SettingKey } from '../config/schema.ts'
import { createHostTag } from '../core/session-id.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { AdminListener } from '../ops/admin.ts'
import { showBanner } from '../ops/banner.ts'
import { claimDataDir, type DataDir } from '../ops/data-dir.ts'
import { ExitError, exitCodes } from '../ops/exit-codes.ts'
import { FileWatch } from '../ops/file-watch.ts'
import { RedisUnfit } from '../redis/server-check.ts'
import { openAdmin } from './admin/index.ts'
import { assemble, type Parts } from './primary-parts.ts'
import {
  type Development,
  handleSignals,
  type SignalHandler,
  type StopRequest,
  watchWorkers,
} from './supervisor/index.ts'

/** Time to close link, log and admin listener after the last worker has exited. */
const STOP_MARGIN_MS = 3_000
/** How long the port stays closed at the start until the other hosts are known, if Redis can't be reached. */
const ACQUAINTANCE_MS = 1_000

export interface PrimaryOptions {
  config: Config
  /** The settings that do not have their defaults. */
  given: readonly SettingKey[]
  logger: Logger
  /** Of `rookery dev`. */
  development?: Development | undefined
}

/** Resolves with the exit code when the host has stopped. */
export async function runPrimary(options: PrimaryOptions): Promise<number> {
  const { config, logger } = options
  const signals = handleSignals(logger)
  const hostTag = createHostTag()
  const dataDir = await claimDataDir(config.dataDir, logger, hostTag)
  try {
    return await Promise.race([serve({ ...options, hostTag, signals, dataDir }), signals.crashed])
  } finally {
    dataDir.release()
  }
}

interface ServeOptions extends PrimaryOptions {
  hostTag: string
  signals: SignalHandler
  dataDir: DataDir
}

async function serve({ dataDir, ...options }: ServeOptions): Promise<number> {
  const { config, logger, signals, development } = options
  const startedAt = performance.now()
  const parts = await assemble(options)
  const files = watchFiles(parts, dataDir)
  await untilOthersAreKnown(parts)
  const { port } = await parts.frontDoor.listen(config.port, config.host)
  const admin = await openAdmin(parts)
  dataDir.announceAdmin(admin.url)
  const endWatch = watchWorkers(parts)
  const endDevelopment = development?.watch(() => parts.supervisor.reload())
  const stopped = await Promise.race([signals.stopped, begin(parts)])
  if (stopped === undefined) announceReady(parts, { port, adminPort: admin.port, startedAt })

  const request = await signals.stopped
  endDevelopment?.()
  logger.info({ reason: request.reason }, 'stopping')
  const inTime = await withTimeout(
    config.stopDeadlineMs + STOP_MARGIN_MS,
    leaveBalancer(parts, request).then(() => {
      endWatch()
      return shutDown(parts, admin)
    }),
    () => false,
  )
  files.close()
  logger.info('stopped')
  if (request.exitCode !== exitCodes.ok.code) return request.exitCode
  return inTime ? exitCodes.ok.code : exitCodes.stopDeadline.code
}

function watchFiles({ relay, logger, registry, signals }: Parts, { files }: DataDir): FileWatch {
  return new FileWatch({
    files: [...files, relay.socket],
    logger,
    registry,
    onExitError: (error) => {
      logger.fatal({ reason: error.message }, 'the host can not go on: stopping')
      signals.stop(error.message, error.exitCode)
    },
  })
}

/** A balancer sends requests as soon as the port is open; those with a session of another host have to be forwarded. */
async function untilOthersAreKnown({ backplane, signals }: Parts): Promise<void> {
  const known = Promise.race([backplane.synced(), signals.stopped]).then(() => undefined)
  await withTimeout(ACQUAINTANCE_MS, known, () => undefined)
}

/** Forks the workers when Redis can be used. Resolves when all of them are ready. */
async function begin({ cluster, supervisor, signals }: Parts): Promise<undefined> {
  const stopped = await Promise.race([signals.stopped, cluster?.connection.ready.catch(explain)])
  if (stopped !== undefined) return undefined
  supervisor.start()
  await supervisor.allReady
  return undefined
}

function explain(error: unknown): never {
  if (error instanceof RedisUnfit) throw new ExitError('redisUnfit', error.message, { cause: error })
  throw error
}

function announceReady(parts: Parts, facts: { port: number; adminPort: number; startedAt: number }): void {
  const { config, logger, development } = parts
  const readyMs = Math.round(performance.now() - facts.startedAt)
  const { port, adminPort } = facts
  logger.info({ port, adminPort, workers: config.workers, dataDir: config.dataDir, readyMs }, 'ready')
  if (development === undefined) showBanner(config, { port, adminPort })
  else development.ready({ port, adminPort })
  // For pm2's `wait_ready`; without such a parent there is no channel.
  process.send?.('ready', undefined, undefined, (error: Error | null) => {
    if (error !== null) logger.warn({ err: error }, 'the process manager could not be notified')
  })
}

/** Serves on for STOP_DELAY_MS while `/readyz` answers 503: balancers learn of the stop before connections are refused. */
async function leaveBalancer(
  { config, frontDoor, supervisor, signals }: Parts,
  { exitCode }: StopRequest,
): Promise<void> {
  const canServe = exitCode === exitCodes.ok.code && supervisor.readyCount() > 0
  if (config.stopDelayMs === 0 || !canServe) return
  frontDoor.announceStop()
  await withTimeout(config.stopDelayMs, signals.killed, () => undefined)
}

/** @returns whether all workers exited without being killed */
async function shutDown(parts: Parts, admin: AdminListener): Promise<boolean> {
  const { config, clock, frontDoor, supervisor, presence, limits, relay, store, backplane, cluster } = parts
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
  clock.close()
  await admin.close()
  return killed === 0
}
