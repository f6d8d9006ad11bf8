/**
 * The pid file of a data directory: names the process that runs on it. It holds the pid and, where the system
 * has it, the start time of that process, so that a pid reused by another process is never signalled; then the
 * host's tag, which /readyz names too, and the address of its admin listener as soon as it listens.
 */
import { existsSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'rookery.pid'

/** The pid file of this process. `hostTag` is empty for a process that serves nobody. */
export class PidFile {
  readonly name = 'pid file'
  readonly #path: string
  readonly #hostTag: string
  #adminUrl = ''

  constructor(dataDir: string, hostTag: string) {
    this.#path = join(dataDir, NAME)
    this.#hostTag = hostTag
  }

  /** Replaces a file that was left behind. */
  write(): void {
    rmSync(this.#path, { force: true })
    this.restore()
  }

  /** Adds the address of the admin listener. Does nothing if the file could not be written before. */
  announceAdmin(url: string): void {
    this.#adminUrl = url
    if (this.isInPlace()) this.write()
  }

  isInPlace(): boolean {
    return existsSync(this.#path)
  }

  restore(): void {
    const content = `${process.pid}\n${startTime(process.pid) ?? ''}\n${this.#hostTag}\n${this.#adminUrl}\n`
    writeFileSync(this.#path, content, { flag: 'wx', mode: 0o600 })
  }

  remove(): void {
    try {
      unlinkSync(this.#path)
    } catch (error) {
      // The file or its directory is removed already.
      if (!isMissing(error)) throw error
    }
  }
}

export interface RunningHost {
  pid: number
  hostTag: string
  /** Of its admin listener; empty as long as it does not listen. */
  adminUrl: string
}

/** The pid of the Rookery that runs on this data directory, if one does. */
export function runningPid(dataDir: string): number | undefined {
  return runningHost(dataDir)?.pid
}

/** The Rookery that runs on this data directory, if one does. */
export function runningHost(dataDir: string): RunningHost | undefined {
  const content = readIfThere(join(dataDir, NAME))
  const [pidText = '', started = '', hostTag = '', adminUrl = ''] = (content ?? '').split('\n')
  if (!/^[1-9][0-9]{0,9}$/.test(pidText)) return undefined
  const pid = Number(pidText)
  if (pid === process.pid || !isAlive(pid)) return undefined
  const now = startTime(pid)
  if (started !== '' && now !== undefined && now !== started) return undefined
  return { pid, hostTag, adminUrl }
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

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'ESRCH')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
