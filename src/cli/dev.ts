/**
 * `rookery dev`: `rookery start` with one worker, which is replaced in order when a source file changes. Code
 * that does not start leaves the worker before it in service, and is tried again at the next change.
 */
import cluster from 'node:cluster'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { LEAVING_MS } from '../config/relations.ts'
import type { Config } from '../config/schema.ts'
import { localUrl } from '../ops/banner.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { createLogger, type Logger } from '../ops/logger.ts'
import type { Development } from '../primary/supervisor/index.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { SourceWatch, sourceRoot } from './source-watch.ts'
import { runHost } from './start.ts'
import { findSyntaxError } from './syntax-check.ts'

const DEFAULTS = { workers: '1', host: '127.0.0.1', adminPort: '0', logFormat: 'pretty', drainMs: '200' }

/** Looked for in the working directory. */
const APPS = ['app.ts', 'app.mts', 'app.js', 'app.mjs', 'app.cjs']

const SHOWN_NAMES = 3

/** Runs until stopped. @returns the exit code */
export async function dev(line: CommandLine, options: Options): Promise<number> {
  const found = APPS.find((name) => existsSync(name))
  const loaded = loadFrom(line, options, {}, { ...DEFAULTS, ...(found === undefined ? {} : { app: found }) })
  const { app, stopDelayMs, drainMs, stopDeadlineMs } = loaded.config
  if (app === undefined)
    throw new ExitError('usage', `--app names no application, and there is none of ${APPS.join(', ')}`)
  const config = {
    ...loaded.config,
    stopDeadlineMs: Math.min(stopDeadlineMs, stopDelayMs + drainMs + LEAVING_MS),
  }
  // Errors of compiled code name the line of its source.
  cluster.setupPrimary({ execArgv: [...process.execArgv, '--enable-source-maps'] })
  const isLevelGiven = loaded.sources.logLevel !== 'default'
  return runHost(
    { ...loaded, config },
    {
      // What the host itself does is of no interest as long as it works.
      logLevel: isLevelGiven ? config.logLevel : 'warn',
      development: develop({ ...config, app }, othersOf(options)),
    },
  )
}

const othersOf = ({ watch }: Options): string[] =>
  typeof watch === 'string' ? watch.split(',').map((path) => resolve(path.trim())) : []

function develop(config: Config & { app: string }, others: string[]): Development {
  const { app, host, dataDir } = config
  const logger = createLogger({ level: config.logLevel, format: config.logFormat })
  const name = relative('', app)
  let last: string[] = []
  let isOpen = false
  let watched: SourceWatch | undefined
  return {
    watch: (reload) => {
      const root = sourceRoot(app, process.cwd(), (directory) => existsSync(join(directory, 'package.json')))
      const watch = new SourceWatch({
        root,
        others,
        dataDir,
        onChange: (files) => {
          // The worker itself finds an error in the application's own file.
          last = files.filter((file) => file !== app)
          logger.info(`${named(files)} changed`)
          reload()
        },
        onError: (error) => logger.error({ err: error }, 'changes of files may be missed'),
      })
      watched = watch
      return () => void watch.close()
    },
    ready: ({ port }) => {
      isOpen = true
      void watched?.ready.then(() =>
        logger.info(`open ${localUrl(host, port)}: ${name} runs, changes restart it`),
      )
    },
    started: () => {
      if (isOpen) logger.info(`${name} runs anew`)
    },
    held: () => void tellHeld(logger, { name, last, isOpen }),
  }
}

async function tellHeld(
  logger: Logger,
  { name, last, isOpen }: { name: string; last: string[]; isOpen: boolean },
): Promise<void> {
  const place = await findSyntaxError(last)
  if (place !== undefined) logger.error(place)
  const meanwhile = isOpen ? 'the code before it goes on, and ' : ''
  logger.error(`${name} does not start: ${meanwhile}the next change tries again`)
}

function named(files: readonly string[]): string {
  const shown = files.slice(0, SHOWN_NAMES).map((file) => relative('', file))
  const more = files.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
