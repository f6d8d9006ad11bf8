/**
 * `rookery log export` and `rookery log import`: copy the rooms to a file and back. The settings name the
 * log: in Redis, or in the data directory.
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
const REDIS_CONNECT_TIMEOUT_MS = 15_000
/** Enough for the longest possible text with every character escaped. */
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
    if (output !== process.stdout) await finish(output)
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
  await waitForOpen(input, file)
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
  return new ExitError(
    'roomsLeftOut',
    `rooms that were skipped because they have entries already: ${shown}${more}`,
  )
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
    await Promise.race([connection.ready, rejectAfterTimeout(connection)])
  } catch (error) {
    connection.close()
    throw error instanceof RedisUnfit ? new ExitError('redisUnfit', error.message, { cause: error }) : error
  }
  return { connection, cluster: config.clusterName, keys: signingKeys(config) }
}

/** A host waits for Redis forever, a command does not. */
async function rejectAfterTimeout(connection: RedisConnection): Promise<never> {
  let reason: string | null = null
  connection.onHealth((problem) => {
    reason = problem
  })
  await delay(REDIS_CONNECT_TIMEOUT_MS, undefined, { ref: false })
  throw new ExitError('unexpected', `Redis can't be reached: ${reason ?? 'the check did not end in time'}`)
}

/** Logs to standard error: standard output may be the exported file. */
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

/** Waits while the output can't keep up. */
async function write(output: Writable, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain')
}

async function finish(output: Writable): Promise<void> {
  output.end()
  await finished(output)
}

async function waitForOpen(input: Readable, file: string): Promise<void> {
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

/** Reports progress on standard error once a second, and the result at the end. */
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
    process.stderr.write(`${this.#verb} ${describe(counts)} so far\n`)
  }

  /** @param json where to write the counts as JSON; null: a sentence on standard error instead */
  done(counts: TransferCounts & { skipped?: number }, json: Writable | null): void {
    if (json === null) process.stderr.write(`${this.#verb} ${describe(counts)}\n`)
    else json.write(`${JSON.stringify(counts)}\n`)
  }
}

const describe = ({ rooms, entries, users }: TransferCounts) =>
  `${countOf(entries, 'entry', 'entries')} of ${countOf(rooms, 'room')}, and the rooms of ${countOf(users, 'user')}`
