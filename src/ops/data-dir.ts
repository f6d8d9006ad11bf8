/** The data directory of this process: makes it, claims it, and writes the pid file. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { Claim } from './claim.ts'
import { ExitError } from './exit-codes.ts'
import type { KeptFile } from './file-watch.ts'
import type { Logger } from './logger.ts'
import { PidFile, runningPid } from './pid-file.ts'

export interface DataDir {
  /** What must stay in place while the process runs. */
  readonly files: readonly KeptFile[]
  /** For commands on this machine. */
  announceAdmin(url: string): void
  release(): void
}

/**
 * Succeeds without a pid file when an existing directory can't be written now (disk full, read-only): the log
 * waits for it, and serves what it has.
 * @param hostTag empty for a process that serves nobody
 * @throws ExitError `dataDirectory` when it can't be used or is in use, `workersSocket` when no socket can be
 * made
 */
export async function claimDataDir(dataDir: string, logger: Logger, hostTag = ''): Promise<DataDir> {
  let claim: Claim | undefined
  try {
    prepare(dataDir, logger)
    claim = await Claim.take(dataDir)
    const pidFile = new PidFile(dataDir, hostTag)
    writePid(pidFile, logger)
    return {
      files: [claim, pidFile],
      announceAdmin: (url) => pidFile.announceAdmin(url),
      release: () => release(pidFile, claim),
    }
  } catch (error) {
    claim?.release()
    if (error instanceof ExitError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError('dataDirectory', `DATA_DIR ${dataDir} can't be used: ${reason}`, { cause: error })
  }
}

function release(pidFile: PidFile, claim: Claim | undefined): void {
  pidFile.remove()
  claim?.release()
}

function prepare(dataDir: string, logger: Logger): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (!isRecoverable(error) || !existsSync(dataDir)) throw error
  }
  warnIfOpenToOthers(dataDir, logger)
  const owner = runningPid(dataDir)
  if (owner !== undefined)
    throw new ExitError('dataDirectory', `DATA_DIR ${dataDir} is used by the Rookery with pid ${owner}`)
}

function writePid(pidFile: PidFile, logger: Logger): void {
  try {
    pidFile.write()
  } catch (error) {
    if (!isRecoverable(error)) throw error
    logger.error(
      { err: error },
      'the pid file could not be written: `rookery reload` will not find this host',
    )
  }
}

function warnIfOpenToOthers(dataDir: string, logger: Logger): void {
  const mode = statSync(dataDir).mode & 0o777
  if ((mode & 0o066) === 0) return
  logger.warn(
    { dataDir, mode: mode.toString(8) },
    'DATA_DIR is open to other users of this machine, and it holds all messages (use chmod 700)',
  )
}

/** Errors that an operator can fix while the host runs. */
function isRecoverable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EROFS' || code === 'ENOSPC' || code === 'EDQUOT'
}
