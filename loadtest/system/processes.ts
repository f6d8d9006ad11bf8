/** What Linux tells of processes under /proc; signals by process id. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { until } from '../../test/harness/until.ts'

/** What a file under /proc says; undefined once its process is gone. */
export function readProc(pid: number, file: string): string | undefined {
  return unlessGone(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
}

/** What its open file descriptors lead to: `socket:[4711]`, `/var/log/x`; empty once it is gone. */
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

/** Oldest first. Node.js forks from its main thread alone. */
export function childrenOf(pid: number): number[] {
  const text = readProc(pid, `task/${pid}/children`) ?? ''
  return text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number)
}

/** The letter of proc(5): `T` stands still, `Z` has ended and was not yet taken note of by its parent. Undefined: it is gone. */
function stateOf(pid: number): string | undefined {
  const stat = readProc(pid, 'stat')
  return stat?.slice(stat.lastIndexOf(')') + 2).charAt(0)
}

export function isRunning(pid: number): boolean {
  const state = stateOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

export const isStopped = (pid: number): boolean => stateOf(pid) === 'T'

/** @returns false when there is no such process any more */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Resolves when none of them runs. Bounded. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGKILL')
  await until(
    () => !pids.some(isRunning),
    'killed processes are gone',
    () => pids.filter(isRunning).join(' '),
  )
}

/** Asks it to end (SIGTERM), and resolves when it has. Bounded. */
export async function terminate(pid: number): Promise<void> {
  signal(pid, 'SIGTERM')
  await until(() => !isRunning(pid), `process ${pid} ends when it is asked to`)
}

/** Resolves when each of them that runs stands still. Bounded. */
export async function pauseAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGSTOP')
  await until(() => pids.every((pid) => isStopped(pid) || !isRunning(pid)), 'processes stand still')
}

/** Resolves when none of them stands still. Bounded. */
export async function resumeAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGCONT')
  await until(() => !pids.some(isStopped), 'processes go on')
}
