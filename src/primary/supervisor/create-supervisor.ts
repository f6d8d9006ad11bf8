/** Connects the supervisor with front door, relay, log and signals. Also watches for workers that hang. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from '../../config/schema.ts'
import { watchForHangs } from '../../core/hang-watch.ts'
import { exitCodes } from '../../ops/exit-codes.ts'
import type { FrontDoor, HandOffTarget } from '../front-door/index.ts'
import type { Relay } from '../relay/index.ts'
import type { Development } from './development.ts'
import type { HostState } from './host-state.ts'
import type { SignalHandler } from './signal-handler.ts'
import { Supervisor } from './supervisor.ts'
import { ChannelSilence, type ForkedWorker } from './worker-process.ts'

export interface SupervisedParts {
  config: Config
  logger: Logger
  registry: Registry
  signals: SignalHandler
  state: HostState
  relay: Relay
  frontDoor: FrontDoor
  /** Of `rookery dev`. */
  development?: Development | undefined
  store: {
    /** A worker is ready and has opened the log. */
    workerReady(): void
    /** A worker's process has exited: its reader slots in the log can be freed. */
    workerExited(): void
  }
}

export function createSupervisor(parts: SupervisedParts, fork: (number: number) => ForkedWorker): Supervisor {
  const { config, logger, registry, relay, frontDoor, store, signals, state, development } = parts
  const supervisor = new Supervisor(
    {
      workers: config.workers,
      bootTimeoutMs: config.workerBootTimeoutMs,
      drainMs: config.drainMs,
      stopDeadlineMs: config.stopDeadlineMs - config.stopDelayMs,
      holdsFailedStarts: development !== undefined,
      fork,
      logger,
      registry,
      now: () => performance.now(),
    },
    {
      ready: (worker, door, slot) => {
        state.workers = null
        store.workerReady()
        frontDoor.useDoor(door)
        frontDoor.addWorker({ ...toTarget(worker, frontDoor), slot })
        state.publishAgain()
        development?.started()
      },
      draining: (name) => frontDoor.drainWorker(name),
      exited: (name, isDeath) => {
        if (isDeath) state.workers = 'the workers died and are started again'
        frontDoor.removeWorker(name)
        relay.removeWorker(name)
        store.workerExited()
      },
      held: (reason) => {
        state.workers = `the application does not start: ${reason}`
        development?.held(reason)
      },
      gaveUp: (reason) => signals.stop(`workers keep crashing: ${reason}`, exitCodes.crashLoop.code),
    },
  )
  signals.onReload(() => supervisor.reload())
  signals.onKill(() => supervisor.kill())
  return supervisor
}

interface WatchedParts {
  config: Config
  logger: Logger
  relay: Relay
  supervisor: Supervisor
}

/**
 * Asks each ready worker on both of its channels. A worker that answers on the link but does not read the
 * IPC channel would be sent connections for ever and take none.
 * @returns a function that ends the watch
 */
export function watchWorkers({ config, logger, relay, supervisor }: WatchedParts): () => void {
  const { workerHangTimeoutMs: timeoutMs } = config
  return watchForHangs({
    timeoutMs,
    names: () => supervisor.list().flatMap(({ name, state }) => (state === 'ready' ? [name] : [])),
    probe: (worker, options) =>
      Promise.all([
        relay.request(worker, 'worker.alive', null, options),
        supervisor.ask(worker, options.timeoutMs),
      ]),
    onSilence: (worker, count, error) =>
      logger.warn({ err: error, worker, count }, 'a worker does not answer'),
    onHung: (worker, error) => {
      if (supervisor.isInspected(worker)) {
        logger.warn({ worker }, 'a worker that does not answer is not killed: its inspector is open')
        return
      }
      const what = error instanceof ChannelSilence ? 'took no connections' : 'answered nothing'
      supervisor.killHung(worker, `it ${what} for ${timeoutMs} ms`)
    },
  })
}

/** The worker as a hand-off target. Also passes the worker's reports about connections to the front door. */
function toTarget(worker: ForkedWorker, frontDoor: FrontDoor): HandOffTarget {
  const { name, tag, process } = worker
  worker.onControl((message, handle) => {
    if (message.type === 'rookery:taken') frontDoor.taken(name, message)
    else if (message.type === 'rookery:hand-back') frontDoor.handedBack(handle, message.data)
    else if (message.type === 'sticky:connection') frontDoor.sessionOpened(name)
    else if (message.type === 'sticky:disconnection') frontDoor.sessionClosed(name)
  })
  return { name, tag, channel: process }
}
