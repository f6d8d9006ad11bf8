/**
 * `rookery log export` and `rookery log import`: what the rooms hold as a file, from the log that the settings name (the data
 * directory's, or the one in Redis) and into it.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import { countOf } from '../core/count-of.ts'
import { linesOf } from '../core/lines.ts'
import type { LogSource, LogTarget, TransferCounts } from '../log/transfer/lines.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { createLogger } from '../ops/logger.ts'
import { claimDataDir, runningPid } from '../ops/pid-file.ts'
import type { RedisConnection } from '../redis/connection.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

const PROGRESS_MS = 1_000
const REACHED_WITHIN_MS = 15_000
/** A text of the most characters there may be, each of them escaped. */
const LINE_MAX_BYTES = 16_777_216

export async function exportToFile(line: CommandLine, options: Options): Promise<void> {
  const { config } = loadFrom(line, options)
  const { exportLog } = await import('../log/transfer/export.ts')
  const source = await openSource(config)
  const file = textOf(options['out'])
  const output = file === undefined ? process.stdout : createWriteStream(file, { mode: 0o600 })
  const progress = new Progress('exported')
  try {
    const counts = await exportLog({
      source,
      cluster: config.clusterName,
      exportedAt: new Date(),
      write: (text) => write(output, text),
      onProgress: (counted) => progress.show(counted),
    })
    if (output !== process.stdout) await ended(output)
    const summary = output === process.stdout ? process.stderr : process.stdout
    progress.done(counts, options['json'] === true ? summary : null)
  } finally {
    await source.close()
  }
}

export async function importFromFile(line: CommandLine, options: Options, file: string): Promise<void> {
  const { config } = loadFrom(line, options)
  const { importLog, ImportError } = await import('../log/transfer/import.ts')
  const input = file === '-' ? process.stdin : createReadStream(file)
  await opened(input, file)
  const { target, release } = await openTarget(config)
  const progress = new Progress('imported')
  try {
    const { skipped, ...counts } = await importLog({
      target,
      lines: linesOf(input, LINE_MAX_BYTES),
      onProgress: (counted) => progress.show(counted),
    })
    progress.done({ ...counts, skipped: skipped.length }, options['json'] === true ? process.stdout : null)
    if (skipped.length > 0) throw roomsLeftOut(skipped)
  } catch (error) {
    if (error instanceof ImportError)
      throw new ExitError('badExport', `${file}: ${error.message}`, { cause: error })
    throw error
  } finally {
    await target.close()
    release()
  }
}

const SHOWN_ROOMS = 20

function roomsLeftOut(skipped: readonly string[]): ExitError {
  const more = skipped.length > SHOWN_ROOMS ? ` and ${skipped.length - SHOWN_ROOMS} more` : ''
  const shown = skipped.slice(0, SHOWN_ROOMS).join(', ')
  return new ExitError('roomsLeftOut', `left as they are, since they have entries already: ${shown}${more}`)
}

async function openSource(config: Config): Promise<LogSource> {
  if (config.redisUrl !== undefined) {
    const { openRedisSource } = await import('../log/transfer/redis-source.ts')
    return openRedisSource(await redisOptions(config))
  }
  const { openEmbeddedSource } = await import('../log/transfer/embedded-source.ts')
  try {
    return openEmbeddedSource(config.dataDir)
  } catch (error) {
    throw unusable(config, error)
  }
}

async function openTarget(config: Config): Promise<{ target: LogTarget; release: () => void }> {
  if (config.redisUrl !== undefined) {
    const { openRedisTarget } = await import('../log/transfer/redis-target.ts')
    return { target: openRedisTarget(await redisOptions(config)), release: () => undefined }
  }
  const pid = runningPid(config.dataDir)
  if (pid !== undefined)
    throw new ExitError(
      'dataDirectory',
      `stop the Rookery with pid ${pid} on DATA_DIR ${config.dataDir} first`,
    )
  process.umask(0o077)
  const claim = claimDataDir(config.dataDir, quietLogger(config))
  const { openEmbeddedTarget } = await import('../log/transfer/embedded-target.ts')
  try {
    return { target: openEmbeddedTarget(config.dataDir), release: () => claim.release() }
  } catch (error) {
    claim.release()
    throw unusable(config, error)
  }
}

async function redisOptions(config: Config) {
  const { openRedis } = await import('../redis/connection.ts')
  const { RedisUnfit } = await import('../redis/server-check.ts')
  const { signingKeys } = await import('../redis/signing.ts')
  const connection = openRedis({ settings: config, logger: quietLogger(config), registry: new Registry() })
  try {
    await Promise.race([connection.ready, notReached(connection)])
  } catch (error) {
    connection.close()
    throw error instanceof RedisUnfit ? new ExitError('redisUnfit', error.message, { cause: error }) : error
  }
  return { connection, cluster: config.clusterName, keys: signingKeys(config) }
}

/** A host waits for Redis as long as it takes; people don't. */
async function notReached(connection: RedisConnection): Promise<never> {
  let reason: string | null = null
  connection.onHealth((told) => {
    reason = told
  })
  await delay(REACHED_WITHIN_MS, undefined, { ref: false })
  throw new ExitError('unexpected', `Redis can't be reached: ${reason ?? 'it has not been checked in time'}`)
}

/** Where people look for what went wrong; standard output may be the file. */
const quietLogger = (config: Config) =>
  createLogger({
    level: config.logLevel === 'info' ? 'warn' : config.logLevel,
    format: config.logFormat,
    stream: process.stderr,
  })

function unusable({ dataDir }: Config, cause: unknown): ExitError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ExitError('dataDirectory', `the log in DATA_DIR ${dataDir} can't be used: ${reason}`, { cause })
}

/** Waits while whoever takes it does not keep up. */
async function write(output: Writable, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain')
}

async function ended(output: Writable): Promise<void> {
  output.end()
  await finished(output)
}

async function opened(input: Readable, file: string): Promise<void> {
  if (input === process.stdin) return
  try {
    await once(input, 'open')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError('badExport', `${file} can't be read: ${reason}`, { cause: error })
  }
}

function textOf(option: string | boolean | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined
}

/** Says on standard error how far it is, once a second, and at the end what was done. */
class Progress {
  readonly #verb: string
  #shownAtMs = performance.now()

  constructor(verb: string) {
    this.#verb = verb
  }

  show(counts: Readonly<TransferCounts>): void {
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < PROGRESS_MS) return
    this.#shownAtMs = nowMs
    process.stderr.write(`${this.#verb} ${described(counts)} so far\n`)
  }

  /** @param json where the numbers are wanted as JSON, if anywhere */
  done(counts: TransferCounts & { skipped?: number }, json: Writable | null): void {
    if (json === null) process.stderr.write(`${this.#verb} ${described(counts)}\n`)
    else json.write(`${JSON.stringify(counts)}\n`)
  }
}

const described = ({ rooms, entries, users }: TransferCounts) =>
  `${countOf(entries, 'entry', 'entries')} of ${countOf(rooms, 'room')}, and the rooms of ${countOf(users, 'user')}`
