/** A control group with a CPU quota, for a process that a test starts. Needs root, and Linux. */
import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PERIOD_US = 100_000
/** Where the hierarchy with the processors is: version 1, or version 2. */
const PLACES = [
  { mount: '/sys/fs/cgroup/cpu', file: 'cpu.cfs_quota_us', text: (quota: number) => String(quota) },
  { mount: '/sys/fs/cgroup', file: 'cpu.max', text: (quota: number) => `${quota} ${PERIOD_US}` },
] as const

export class CpuGroup {
  readonly #outer: string
  readonly #inner: string

  private constructor(outer: string, inner: string) {
    this.#outer = outer
    this.#inner = inner
  }

  /**
   * The quota is that of the group around the process' own one.
   * @returns undefined where this process may not make one
   */
  static async create(cores: number): Promise<CpuGroup | undefined> {
    for (const { mount, file, text } of PLACES) {
      const outer = await mkdtemp(join(mount, 'rookery-')).catch(() => undefined)
      if (outer === undefined) continue
      const group = new CpuGroup(outer, join(outer, 'inner'))
      try {
        await mkdir(group.#inner)
        await writeFile(join(outer, file), text(cores * PERIOD_US), { flag: 'r+' })
        return group
      } catch {
        await group.remove()
      }
    }
    return undefined
  }

  /** Prefix of a command that then runs in the group. */
  get within(): [file: string, ...args: string[]] {
    return ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.#inner]
  }

  async remove(): Promise<void> {
    for (const directory of [this.#inner, this.#outer]) await rmdir(directory).catch(() => undefined)
  }
}
