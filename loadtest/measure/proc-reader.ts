/** Reads CPU time and memory of processes, on Linux only. Processes that have exited are left out. */
import { run } from '../../test/harness/command.ts'
import type { ServerProcess } from '../model/server-process.ts'
import { readProc } from '../system/processes.ts'
import type { CounterValue } from './counter-sum.ts'
import { cpuFrom, type ProcUnits, processKeyFrom, rssFrom } from './proc-parser.ts'

export interface ProcReadings {
  /** Milliseconds by role. */
  cpu: CounterValue[]
  /** Sums by role. Shared pages count in each process. */
  rssBytes: Record<string, number>
}

export async function procUnits(): Promise<ProcUnits> {
  return { ticksPerSec: await constant('CLK_TCK'), pageBytes: await constant('PAGESIZE') }
}

async function constant(name: string): Promise<number> {
  const { code, stdout, stderr } = await run('getconf', [name])
  if (code !== 0) throw new Error(`getconf ${name}: ${stderr}`)
  return Number(stdout)
}

export function readProcesses(processes: readonly ServerProcess[], units: ProcUnits): ProcReadings {
  const readings: ProcReadings = { cpu: [], rssBytes: {} }
  for (const { pid, role } of processes) {
    const stat = readProc(pid, 'stat')
    const statm = readProc(pid, 'statm')
    if (stat === undefined || statm === undefined) continue
    readings.cpu.push({ key: processKeyFrom(pid, stat), group: role, value: cpuFrom(stat, units) })
    readings.rssBytes[role] = (readings.rssBytes[role] ?? 0) + rssFrom(statm, units)
  }
  return readings
}
