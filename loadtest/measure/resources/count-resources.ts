/** Counts the resources of all server processes of a target and its Redis. Call it when they are idle. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../../test/harness/until.ts'
import {
  type ProcessResources,
  type RedisResources,
  ReportedResources,
  type ResourceCounts,
} from '../../model/resources.ts'
import type { ServerProcess } from '../../model/server-process.ts'
import type { RunningTarget } from '../../model/target.ts'
import { nowMs } from '../../system/clock.ts'
import { descriptorsOf, isRunning, readProc, signal } from '../../system/processes.ts'
import { privateRssFrom, processKeyFrom } from '../proc-parser.ts'

type ResourceSource = Pick<RunningTarget, 'processes' | 'probeDirectory' | 'redisResources'>

/** @returns undefined for servers that run elsewhere @throws if a process does not respond */
export async function countResources(target: ResourceSource): Promise<ResourceCounts | undefined> {
  const { probeDirectory } = target
  if (probeDirectory === undefined) return undefined
  const [processes, redis] = await Promise.all([
    Promise.all(target.processes().map((each) => resourcesOf(each, probeDirectory))),
    redisOf(target),
  ])
  return { processes: processes.filter((each) => each !== undefined), redis }
}

/** On a busy machine it may not respond at once. */
async function redisOf(target: ResourceSource): Promise<RedisResources | undefined> {
  if (!target.processes().some(({ role }) => role === 'redis')) return undefined
  let resources: RedisResources | undefined
  await until(async () => {
    resources = await target.redisResources()
    return resources !== undefined
  }, 'Redis reports its resources')
  return resources
}

/** Undefined if the process has exited meanwhile. */
async function resourcesOf(
  { pid, role, host }: ServerProcess,
  directory: string,
): Promise<ProcessResources | undefined> {
  const reported =
    role === 'redis' ? undefined : await reportedBy(pid, join(directory, `${pid}.resources.json`))
  const stat = readProc(pid, 'stat')
  const status = readProc(pid, 'status')
  if (stat === undefined || status === undefined || (reported === undefined && role !== 'redis'))
    return undefined
  return {
    processKey: processKeyFrom(pid, stat),
    role,
    host,
    rssBytes: privateRssFrom(status),
    descriptors: byKind(descriptorsOf(pid)),
    reported,
  }
}

async function reportedBy(pid: number, file: string): Promise<ReportedResources | undefined> {
  const askedAt = nowMs()
  signal(pid, 'SIGURG')
  let reported: ReportedResources | undefined
  await until(async () => {
    reported = await readReport(file)
    return (reported !== undefined && reported.at >= askedAt) || !isRunning(pid)
  }, `process ${pid} reports its resources`)
  return reported !== undefined && reported.at >= askedAt ? reported : undefined
}

/** The file is renamed into place, so it is complete. */
async function readReport(file: string): Promise<ReportedResources | undefined> {
  try {
    return ReportedResources.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Replaces numbers, as in `socket:[4711]`, since they only tell objects apart. Files under /proc are left
 * out: Node.js is just reading figures from them.
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
