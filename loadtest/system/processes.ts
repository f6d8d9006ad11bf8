/** Processes under /proc on Linux, and signals to them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { until } from '../../test/harness/until.ts'

/** The text of a file under /proc; undefined if the process is gone. */
export function readProc(pid: number, file: string): string | undefined {
  return unlessGone(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
}

/** Targets of its open file descriptors: `socket:[4711]`, `/var/log/x`. Empty if it is gone. */
export function descriptorsOf(pid: number): string[] {
  const numbers = unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return numbers
    .map((number) => unlessGone(() => readlinkSync(`/proc/${pid}/fd/${number}`)))
    .filter((path) => path !== undefined)
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Oldest first. Node.js forks from its main thread only. */
export function childrenOf(pid: number): number[] {
  const text = readProc(pid, `task/${pid}/children`) ?? ''
  return text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number)
}

/** The state letter of proc(5): `T` stopped, `Z` exited but not yet reaped. Undefined: gone. */
function stateOf(pid: number): string | undefined {
  const stat = readProc(pid, 'stat')
  return stat?.slice(stat.lastIndexOf(')') + 2).charAt(0)
}

export function isRunning(pid: number): boolean {
  const state = stateOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

export const isStopped = (pid: number): boolean => stateOf(pid) === 'T'

/** @returns false if the process no longer exists */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Resolves when all have exited. Has a time-out. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGKILL')
  await until(
    () => !pids.some(isRunning),
    'killed processes have exited',
    () => pids.filter(isRunning).join(' '),
  )
}

/** Sends SIGTERM, and resolves when it has exited. Has a time-out. */
export async function terminate(pid: number): Promise<void> {
  signal(pid, 'SIGTERM')
  await until(() => !isRunning(pid), `process ${pid} exits after SIGTERM`)
}

/** Resolves when each of them is stopped or has exited. Has a time-out. */
export async function pauseAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGSTOP')
  await until(() => pids.every((pid) => isStopped(pid) || !isRunning(pid)), 'processes are stopped')
}

/** Resolves when none of them is stopped. Has a time-out. */
export async function resumeAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGCONT')
  await until(() => !pids.some(isStopped), 'processes run again')
}
