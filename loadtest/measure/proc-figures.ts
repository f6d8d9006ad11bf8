/** CPU time and resident memory of a process from the texts of /proc/<pid>/stat and /proc/<pid>/statm. Pure. */
export interface ProcUnits {
  ticksPerSec: number
  pageBytes: number
}

export interface CpuFigures {
  cpuMs: number
  /** Ticks from the machine's start to its own: with the process id it names one process for good. */
  startedAtTicks: number
}

/** Fields of proc(5), counted from the one after the name. */
const UTIME = 11
const STIME = 12
const STARTTIME = 19

export function cpuFrom(stat: string, { ticksPerSec }: ProcUnits): CpuFigures {
  // The name, in brackets, may hold anything, brackets and spaces too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const at = (index: number) => Number(fields[index] ?? Number.NaN)
  return { cpuMs: ((at(UTIME) + at(STIME)) / ticksPerSec) * 1_000, startedAtTicks: at(STARTTIME) }
}

export function rssFrom(statm: string, { pageBytes }: ProcUnits): number {
  return Number(statm.split(' ')[1] ?? Number.NaN) * pageBytes
}
