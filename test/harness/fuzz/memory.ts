/** The memory use of a host's processes, without garbage and without files mapped into memory. */
import { readFile } from 'node:fs/promises'
import { until } from '../until.ts'
import type { FuzzedHost } from './host.ts'

/** Preloads a module into primary and workers that collects garbage at SIGUSR2. */
export const memoryEnv = {
  NODE_OPTIONS: `--import=${new URL('../../fixtures/fuzz-memory.js', import.meta.url).href}`,
}

export interface MemoryUse {
  pid: number
  /** Heap and external memory after a garbage collection. */
  usedBytes: number
  /** Resident anonymous memory, without the log's memory map. */
  residentBytes: number
}

/** Primary first. Waits until no client is connected. */
export async function memoryOf(host: FuzzedHost): Promise<MemoryUse[]> {
  await until(async () => (await connections(host)) === 0, 'every connection is closed')
  const before = host.rookery.countLogs('memory')
  for (const pid of host.pids) process.kill(pid, 'SIGUSR2')
  await host.rookery.untilLog('memory', before + host.pids.length)
  const lines = host.rookery.logs.filter(({ msg }) => msg === 'memory').slice(before)
  return Promise.all(
    host.pids.map(async (pid) => {
      const line = lines.find((one) => one['pid'] === pid)
      return { pid, usedBytes: Number(line?.['usedBytes']), residentBytes: await residentBytes(pid) }
    }),
  )
}

async function connections(host: FuzzedHost): Promise<number> {
  const status = await (await fetch(`${host.rookery.adminUrl}/status`)).json()
  const { workers } = status as { workers: { connections?: number }[] }
  return workers.reduce((sum, worker) => sum + (worker.connections ?? 1), 0)
}

async function residentBytes(pid: number): Promise<number> {
  const [, kilobytes] = /^RssAnon:\s+([0-9]+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
