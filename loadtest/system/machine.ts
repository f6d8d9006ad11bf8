/** The machine and versions that a result was measured with. */
import { existsSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { run } from '../../test/harness/command.ts'
import type { Machine, RunResult } from '../model/result.ts'
import { inPackage, installedAt, PACKAGE_ROOT, readPackage } from './package-root.ts'

/** Packages that the servers and clients use. */
const PACKAGES = [
  'socket.io',
  'engine.io',
  'socket.io-adapter',
  'socket.io-client',
  'engine.io-client',
  'ws',
  '@socket.io/sticky',
  '@socket.io/cluster-adapter',
  '@socket.io/redis-adapter',
  '@socket.io/redis-streams-adapter',
  'ioredis',
  'lmdb',
]

export async function machineNow(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()}`,
    node: process.version,
    packages: packageVersions(PACKAGES),
    redis: await redisVersion(),
    loadAverage: loadavg()[0] ?? 0,
  }
}

/** Packages that are not installed are left out. */
function packageVersions(names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, readPackage(installedAt(name) ?? '')?.version] as const)
  return Object.fromEntries(found.filter((each): each is readonly [string, string] => each[1] !== undefined))
}

async function redisVersion(): Promise<string | null> {
  const text = await outputOf('redis-server', ['--version'])
  return redisVersionFrom(text ?? '')
}

/** `Redis server v=7.0.15 sha=…` */
export function redisVersionFrom(text: string): string | null {
  return / v=([\d.]+)/.exec(text)?.[1] ?? null
}

/** The version of this project, and its commit in a working copy; `-dirty`: with uncommitted changes. */
export async function toolNow(): Promise<RunResult['tool']> {
  return { version: readPackage(PACKAGE_ROOT)?.version ?? 'unknown', commit: await commitNow() }
}

async function commitNow(): Promise<string | null> {
  if (!existsSync(inPackage('.git'))) return null
  const described = await outputOf('git', ['-C', PACKAGE_ROOT, 'rev-parse', 'HEAD'])
  const changes = await outputOf('git', ['-C', PACKAGE_ROOT, 'status', '--porcelain', '--untracked-files=no'])
  if (described === undefined) return null
  return changes === '' ? described : `${described}-dirty`
}

/** Undefined if the program is missing or fails. */
async function outputOf(file: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stdout } = await run(file, args)
    return code === 0 ? stdout.trim() : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
