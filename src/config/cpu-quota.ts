/**
 * The share of the processors that the control groups of this process allow (Linux, version 1 and 2). In a
 * container Node.js 20 sees all cores of the machine; `availableParallelism` heeds the quota only in later
 * versions.
 */
import { readFileSync } from 'node:fs'

/** A path of more levels is cut off: no system nests that deep. */
const MAX_LEVELS = 32

export interface CpuQuota {
  /** May be a fraction. */
  readonly cores: number
  /** The file that says so. */
  readonly file: string
}

/** Reads a file; undefined if it can't be read. */
export type ReadText = (path: string) => string | undefined

/** The least quota of all levels; undefined if there is none. */
export function cpuQuota(read: ReadText = readText): CpuQuota | undefined {
  const groups = groupsOf(read('/proc/self/cgroup') ?? '')
  const quotas = mountsOf(read('/proc/self/mountinfo') ?? '').flatMap((mount) => {
    const group = groups.get(mount.version)
    return group === undefined ? [] : quotasOf(mount, group, read)
  })
  return quotas.toSorted((a, b) => a.cores - b.cores)[0]
}

type Version = 1 | 2

interface Mount {
  version: Version
  /** Which group is mounted. */
  root: string
  directory: string
}

/** The group of this process in the hierarchy that knows of processors: `4:cpu,cpuacct:/a`, `0::/a`. */
function groupsOf(text: string): Map<Version, string> {
  const groups = new Map<Version, string>()
  for (const line of text.split('\n')) {
    const [, id, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
    if (id === undefined) continue
    if (controllers.split(',').includes('cpu')) groups.set(1, path)
    else if (controllers === '') groups.set(2, path)
  }
  return groups
}

/** `31 23 0:28 <root> <directory> rw,relatime <optional fields> - <type> <source> <options>` */
function mountsOf(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', directory = ''] = before.split(' ').map(unescaped)
    const [type, , options = ''] = after.split(' ')
    if (type === 'cgroup2') return [{ version: 2, root, directory }]
    const isCpu = type === 'cgroup' && options.split(',').includes('cpu')
    return isCpu ? [{ version: 1, root, directory }] : []
  })
}

/** Spaces are written as `\040`. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(parseInt(digits, 8)))
}

function quotasOf({ version, root, directory }: Mount, group: string, read: ReadText): CpuQuota[] {
  const readQuota = version === 2 ? quotaInMax : quotaInCfs
  return levels(below(root, group)).flatMap((level) => readQuota(`${directory}${level}`, read) ?? [])
}

/** The group as seen from the mounted one. What lies outside of it can't be read. */
function below(root: string, group: string): string {
  const start = root === '/' ? '' : root
  if (group === root || !group.startsWith(`${start}/`)) return ''
  return group.slice(start.length)
}

/** `/a/b` → `/a/b`, `/a`, `` */
function levels(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..')
  const kept = names.slice(0, MAX_LEVELS)
  return Array.from({ length: kept.length + 1 }, (_, cut) =>
    kept
      .slice(0, kept.length - cut)
      .map((name) => `/${name}`)
      .join(''),
  )
}

/** `<quota or max> <period>` */
function quotaInMax(directory: string, read: ReadText): CpuQuota | undefined {
  const file = `${directory}/cpu.max`
  const [, quota, period] = /^(\d+) (\d+)\s*$/.exec(read(file) ?? '') ?? []
  return quotaOf(Number(quota), Number(period), file)
}

/** A quota of -1: none. */
function quotaInCfs(directory: string, read: ReadText): CpuQuota | undefined {
  const file = `${directory}/cpu.cfs_quota_us`
  const quota = Number(read(file) ?? Number.NaN)
  return quotaOf(quota, Number(read(`${directory}/cpu.cfs_period_us`) ?? Number.NaN), file)
}

function quotaOf(quota: number, period: number, file: string): CpuQuota | undefined {
  return quota > 0 && period > 0 ? { cores: quota / period, file } : undefined
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Another system, or a level that can't be seen from here.
    return undefined
  }
}
