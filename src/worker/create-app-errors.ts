/** Connects the errors of the application with the settings, the worker's end and the adapter. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Namespace } from 'socket.io'
import type { WorkerConfig } from '../config/load.ts'
import { AppErrors, emitServerSide } from './app-errors/index.ts'
import { reasonOf, sendControl } from './control.ts'
import { type Lifetime, UNCAUGHT } from './lifetime.ts'

export function createAppErrors(
  { config, logger, registry }: { config: WorkerConfig; logger: Logger; registry: Registry },
  lifetime: Lifetime,
): AppErrors {
  return new AppErrors({
    policy: config.appErrors,
    // The chat catches its own errors.
    followsAsync: config.app !== undefined,
    exit: (error) => lifetime.crash(error, UNCAUGHT),
    replace: (error) => sendControl(logger, { type: 'rookery:replace', reason: reasonOf(error) }),
    logger,
    registry,
    now: () => performance.now(),
  })
}

/** What the adapter calls in place of the application's listeners. */
export function guardedAdapter(errors: AppErrors) {
  return {
    emitServerSide: (namespace: Namespace, args: unknown[], failed: (error: unknown) => void) =>
      emitServerSide(errors, { namespace, args, failed }),
    onListenerError: (error: unknown, event: string) => errors.caught(error, { where: 'namespace', event }),
  }
}
