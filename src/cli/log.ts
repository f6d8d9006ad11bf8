/**
 * `rookery log export` and `rookery log import`: copy the rooms to a file and back. The settings name the
 * log: in Redis, or in the data directory.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Config } from '../config/schema.ts'
import { linesOf } from '../core/lines.ts'
import type { LogSource, LogTarget, TransferCounts } from '../log/transfer/lines.ts'
import { claimDataDir } from '../ops/data-dir.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { runningPid } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { describeTransfer, Progress } from './progress.ts'
import { quietLogger, redisForCommand } from './redis-for-command.ts'

/** Enough for the longest possible text with every character escaped. */
const LINE_MAX_BYTES = 16_777_216

export async function exportToFile(line: CommandLine, options: Options): Promise<void> {
  const { config } = loadFrom(line, options)
  const { exportLog } = await import('../log/transfer/export.ts')
  const source = await openSource(config, options['allowUnreadable'] === true)
  const file = textOf(options['out'])
  const output = file === undefined ? process.stdout : createWriteStream(file, { mode: 0o600 })
  const progress = new Progress('exported', describeTransfer)
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
  } catch (error) {
    throw await explained(error)
  } finally {
    await source.close()
  }
}

async function explained(error: unknown): Promise<unknown> {
  const { UnreadableEntry } = await import('../log/transfer/redis-source.ts')
  if (!(error instanceof UnreadableEntry)) return error
  const wayOut = {
    malformed: 'it was damaged, or written by something else',
    unsigned: 'run `rookery log sign --unsigned` first, or leave CLUSTER_SECRET away',
    forged: 'if it is of a former secret, name that in CLUSTER_SECRET_OLD',
  }[error.why]
  const message = `${error.message}: ${wayOut}; --allow-unreadable exports a placeholder instead`
  return new ExitError('unreadableEntries', message, { cause: error })
}

export async function importFromFile(line: CommandLine, options: Options, file: string): Promise<void> {
  const { config } = loadFrom(line, options)
  const { importLog, ImportError } = await import('../log/transfer/import.ts')
  const input = file === '-' ? process.stdin : createReadStream(file)
  await waitForOpen(input, file)
  const { target, release } = await openTarget(config)
  const progress = new Progress<TransferCounts & { skipped?: number }>('imported', describeTransfer)
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

async function openSource(config: Config, allowUnreadable: boolean): Promise<LogSource> {
  if (config.redisUrl !== undefined) {
    const { openRedisSource } = await import('../log/transfer/redis-source.ts')
    return openRedisSource({ ...(await redisForCommand(config)), allowUnreadable })
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
    return { target: openRedisTarget(await redisForCommand(config)), release: () => undefined }
  }
  const pid = runningPid(config.dataDir)
  if (pid !== undefined)
    throw new ExitError(
      'dataDirectory',
      `stop the Rookery with pid ${pid} on DATA_DIR ${config.dataDir} first`,
    )
  process.umask(0o077)
  const claim = await claimDataDir(config.dataDir, quietLogger(config))
  const { openEmbeddedTarget } = await import('../log/transfer/embedded-target.ts')
  try {
    return { target: openEmbeddedTarget(config.dataDir), release: () => claim.release() }
  } catch (error) {
    claim.release()
    throw unusable(config, error)
  }
}

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
