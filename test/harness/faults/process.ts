/** Faults that a process inflicts on itself (fixtures/fault-process.js), and the resources that it uses. Linux only. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SelfFault = `stall ${number}` | 'eat' | 'deaf' | 'inspect'

/** A directory with the faults that the processes of one host inflict on themselves. */
export class SelfFaults {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async open(): Promise<SelfFaults> {
    return new SelfFaults(await mkdtemp(join(tmpdir(), 'rookery-faults-')))
  }

  /** Environment of the host. @param nodeOptions more flags for each of its processes */
  env(nodeOptions = ''): Record<string, string> {
    const preload = new URL('../../fixtures/fault-process.js', import.meta.url).href
    return { FAULT_DIR: this.#directory, NODE_OPTIONS: `--import=${preload} ${nodeOptions}` }
  }

  async cause(pid: number, fault: SelfFault): Promise<void> {
    await writeFile(join(this.#directory, String(pid)), fault)
    process.kill(pid, 'SIGUSR2')
  }

  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** Resident anonymous memory, without files mapped into memory. */
export async function residentBytes(pid: number): Promise<number> {
  const [, kilobytes] = /^RssAnon:\s+([0-9]+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

const TICK_MS = 10

/** CPU time since the start of the process. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
