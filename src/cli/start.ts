/** `rookery start`: makes the checks that need no worker, then runs the primary. */
import { access } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { givenKeys, type LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { cannotListen, ExitError, noSocket } from '../ops/exit-codes.ts'
import { createLogger } from '../ops/logger.ts'
import type { Development } from '../primary/supervisor/index.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

/** Runs until stopped. @returns the exit code */
export function start(line: CommandLine, options: Options): Promise<number> {
  const loaded = loadFrom(line, options)
  return runHost(loaded, { logLevel: loaded.config.logLevel })
}

export interface HostRun {
  /** Of the primary; workers have that of the settings. */
  logLevel: Config['logLevel']
  development?: Development
}

/** Runs until stopped. @returns the exit code */
export async function runHost({ config, warnings, sources }: LoadedConfig, run: HostRun): Promise<number> {
  // Only this user may read the log, even in a DATA_DIR that others can enter.
  process.umask(0o077)
  await checkApp(config)
  const logger = createLogger({
    level: run.logLevel,
    format: config.logFormat,
    bindings: { host: config.hostName },
  })
  for (const { setting, message } of warnings) logger.warn({ setting }, `a setting is not used: ${message}`)
  if (config.corsOrigin === '*')
    logger.warn(
      { setting: 'CORS_ORIGIN' },
      'pages of all origins may open sessions in the name of their visitors',
    )
  const { runPrimary } = await import('../primary/primary.ts')
  try {
    const { development } = run
    return await runPrimary({ config, given: givenKeys(sources), logger, development })
  } catch (error) {
    throw explained(error, config)
  }
}

/**
 * Gives errors of PORT, HOST and the workers' socket their own exit codes. ops/admin.ts does so for its
 * listener.
 */
export function explained(error: unknown, { port, host }: Pick<Config, 'port' | 'host'>): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error
  const address = 'address' in error && typeof error.address === 'string' ? error.address : ''
  if (error.syscall === 'listen' && isAbsolute(address)) return noSocket(address, error)
  const isUnknownHost = error.syscall === 'getaddrinfo' && 'hostname' in error && error.hostname === host
  const isPort = error.syscall === 'listen' || isUnknownHost
  return isPort ? cannotListen(`PORT ${port} on HOST ${host}`, error) : error
}

async function checkApp({ app }: Config): Promise<void> {
  if (app === undefined) return
  try {
    await access(app)
  } catch (error) {
    throw new ExitError('configuration', `APP ${app} can't be read`, { cause: error })
  }
}
