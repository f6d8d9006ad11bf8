/** `rookery start`: checks what can be checked before the first process is forked, then hands over to the primary. */
import { access } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { cannotListen, ExitError } from '../ops/exit-codes.ts'
import { createLogger } from '../ops/logger.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

/** @returns the exit code, when it has stopped */
export async function start(line: CommandLine, options: Options): Promise<number> {
  const { config } = loadFrom(line, options)
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
    if (isListenError(error)) throw cannotListen(`PORT ${config.port} on HOST ${config.host}`, error)
    throw error
  }
}

function isListenError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen'
}

async function checkApp({ app }: Config): Promise<void> {
  if (app === undefined) return
  try {
    await access(app)
  } catch (error) {
    throw new ExitError('configuration', `APP ${app} can't be read`, { cause: error })
  }
}
