/**
 * Parses CPU time, memory and identity of a process from its files `stat`, `statm` and `status` under /proc.
 * Pure.
 */
export interface ProcUnits {
  ticksPerSec: number
  pageBytes: number
}

/** Fields of proc(5), counted from the one after the name. */
const UTIME = 11
const STIME = 12
const STARTTIME = 19

/** Milliseconds. */
export function cpuFrom(stat: string, { ticksPerSec }: ProcUnits): number {
  return ((fieldOf(stat, UTIME) + fieldOf(stat, STIME)) / ticksPerSec) * 1_000
}

/** Identifies one process: pids are reused, but not with the same start time. */
export function processKeyFrom(pid: number, stat: string): string {
  return `${pid} ${fieldOf(stat, STARTTIME)}`
}

export function rssFrom(statm: string, { pageBytes }: ProcUnits): number {
  return Number(statm.split(' ')[1] ?? Number.NaN) * pageBytes
}

/** Resident memory without mapped files. */
export function privateRssFrom(status: string): number {
  const [, kiB] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? []
  return Number(kiB ?? Number.NaN) * 1_024
}

/** The name, in brackets, may contain any characters, brackets and spaces too. */
function fieldOf(stat: string, index: number): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[index] ?? Number.NaN)
}
