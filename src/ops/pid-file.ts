/**
 * The pid file of a data directory: names the process that runs on it, and keeps a second one away. It holds
 * the pid and, where the system has it, the start time of that process, so that a pid reused by another
 * process is never signalled; then the host's tag, which /readyz names too.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExitError } from './exit-codes.ts'
import type { Logger } from './logger.ts'

const NAME = 'rookery.pid'

export interface PidFile {
  /** Removes the file. */
  release(): void
}

/**
 * Creates the data directory if it is missing. Succeeds without a pid file when an existing directory can't
 * be written now (disk full, read-only): the log waits for it, and serves what it has.
 * @param hostTag empty for a process that serves nobody
 * @throws ExitError `dataDirectory` when it can't be used or is in use
 */
export function claimDataDir(dataDir: string, logger: Logger, hostTag = ''): PidFile {
  const file = join(dataDir, NAME)
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    warnIfOpenToOthers(dataDir, logger)
    writeExclusively(dataDir, file, hostTag)
  } catch (error) {
    if (error instanceof ExitError) throw error
    if (isRecoverable(error) && existsSync(dataDir)) {
      logger.error(
        { err: error },
        'the pid file could not be written: `rookery reload` will not find this host',
      )
      return { release: () => undefined }
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError('dataDirectory', `DATA_DIR ${dataDir} can't be used: ${reason}`, { cause: error })
  }
  return { release: () => release(file) }
}

function warnIfOpenToOthers(dataDir: string, logger: Logger): void {
  const mode = statSync(dataDir).mode & 0o777
  if ((mode & 0o066) === 0) return
  logger.warn(
    { dataDir, mode: mode.toString(8) },
    'DATA_DIR is open to other users of this machine, and it holds all messages (use chmod 700)',
  )
}

/**
 * Of two processes that start together, one creates the file. If both remove the same stale file, the link's
 * socket decides.
 */
function writeExclusively(dataDir: string, file: string, hostTag: string): void {
  const content = `${process.pid}\n${startTime(process.pid) ?? ''}\n${hostTag}\n`
  const owner = runningPid(dataDir)
  if (owner !== undefined) throw inUse(dataDir, owner)
  rmSync(file, { force: true })
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    throw inUse(dataDir, runningPid(dataDir))
  }
}

function inUse(dataDir: string, owner: number | undefined): ExitError {
  const who = owner === undefined ? 'another Rookery, which is starting' : `the Rookery with pid ${owner}`
  return new ExitError('dataDirectory', `DATA_DIR ${dataDir} is used by ${who}`)
}

/** The pid of the Rookery that runs on this data directory, if one does. */
export function runningPid(dataDir: string): number | undefined {
  return runningHost(dataDir)?.pid
}

/** The Rookery that runs on this data directory, if one does. */
export function runningHost(dataDir: string): { pid: number; hostTag: string } | undefined {
  const content = readIfThere(join(dataDir, NAME))
  const [pidText = '', started = '', hostTag = ''] = (content ?? '').split('\n')
  if (!/^[1-9][0-9]{0,9}$/.test(pidText)) return undefined
  const pid = Number(pidText)
  if (pid === process.pid || !isAlive(pid)) return undefined
  const now = startTime(pid)
  if (started !== '' && now !== undefined && now !== started) return undefined
  return { pid, hostTag }
}

function release(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    // The file or its directory is removed already.
    if (!isMissing(error)) throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
  return processStat(pid)?.[0] !== 'Z'
}

/** In ticks since the machine started, where /proc has it. */
function startTime(pid: number): string | undefined {
  return processStat(pid)?.[19]
}

/** The fields of /proc/<pid>/stat after the command name, which may contain spaces and brackets. */
function processStat(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Errors that an operator can fix while the host runs. */
function isRecoverable(error: unknown): boolean {
  return hasCode(error, 'EROFS') || hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'ESRCH')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
