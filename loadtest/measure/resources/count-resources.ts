/** Asks all server processes of a target, and its Redis, what they hold now. To be called when nothing is under way. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../../test/harness/until.ts'
import {
  type Holdings,
  type ProcessHoldings,
  type RedisHoldings,
  ToldHoldings,
} from '../../model/resources.ts'
import type { ServerProcess } from '../../model/server-process.ts'
import type { RunningTarget } from '../../model/target.ts'
import { nowMs } from '../../system/clock.ts'
import { descriptorsOf, isRunning, readProc, signal } from '../../system/processes.ts'
import { lifeFrom, privateRssFrom } from '../proc-parser.ts'

type Held = Pick<RunningTarget, 'processes' | 'probeDirectory' | 'redisHoldings'>

/** @returns undefined for what runs elsewhere. @throws when a process does not answer */
export async function takeHoldings(target: Held): Promise<Holdings | undefined> {
  const { probeDirectory } = target
  if (probeDirectory === undefined) return undefined
  const [processes, redis] = await Promise.all([
    Promise.all(target.processes().map((each) => holdingsOf(each, probeDirectory))),
    redisOf(target),
  ])
  return { processes: processes.filter((each) => each !== undefined), redis }
}

/** On a busy machine it may not answer at once. */
async function redisOf(target: Held): Promise<RedisHoldings | undefined> {
  if (!target.processes().some(({ role }) => role === 'redis')) return undefined
  let held: RedisHoldings | undefined
  await until(async () => {
    held = await target.redisHoldings()
    return held !== undefined
  }, 'Redis tells what it holds')
  return held
}

/** Undefined of a process that has ended meanwhile. */
async function holdingsOf(
  { pid, role, host }: ServerProcess,
  directory: string,
): Promise<ProcessHoldings | undefined> {
  const told = role === 'redis' ? undefined : await toldBy(pid, join(directory, `${pid}.holds.json`))
  const stat = readProc(pid, 'stat')
  const status = readProc(pid, 'status')
  if (stat === undefined || status === undefined || (told === undefined && role !== 'redis')) return undefined
  return {
    life: lifeFrom(pid, stat),
    role,
    host,
    rssBytes: privateRssFrom(status),
    descriptors: byKind(descriptorsOf(pid)),
    told,
  }
}

async function toldBy(pid: number, file: string): Promise<ToldHoldings | undefined> {
  const askedAt = nowMs()
  signal(pid, 'SIGURG')
  let told: ToldHoldings | undefined
  await until(async () => {
    told = await toldIn(file)
    return (told !== undefined && told.at >= askedAt) || !isRunning(pid)
  }, `process ${pid} tells what it holds`)
  return told !== undefined && told.at >= askedAt ? told : undefined
}

/** The file is put in its place whole. */
async function toldIn(file: string): Promise<ToldHoldings | undefined> {
  try {
    return ToldHoldings.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * `socket:[4711]`: numbers tell one from the other, not what they are. Files under /proc are those from which Node.js is reading figures
 * at the moment.
 */
function byKind(paths: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const path of paths) {
    if (path.startsWith('/proc/')) continue
    const kind = path.replace(/\d+/g, 'n')
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
