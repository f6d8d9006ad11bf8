/** `rookery start`: checks what can be checked before the first process is forked, then hands over to the primary. */
import { access } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Config } from '../config/schema.ts'
import { cannotListen, ExitError, noSocket } from '../ops/exit-codes.ts'
import { createLogger } from '../ops/logger.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

/** @returns the exit code, when it has stopped */
export async function start(line: CommandLine, options: Options): Promise<number> {
  const { config } = loadFrom(line, options)
  // What the log holds is for this user alone, in a DATA_DIR that others can enter too.
  process.umask(0o077)
  await checkApp(config)
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    bindings: { host: config.hostName },
  })
  const { runPrimary } = await import('../primary/primary.ts')
  try {
    return await runPrimary({ config, logger })
  } catch (error) {
    throw explained(error, config)
  }
}

/** What an address has to do with gets its own exit code. Other listeners tell of themselves (ops/admin.ts). */
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
