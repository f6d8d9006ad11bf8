/** A file system of a few megabytes that a test can fill, make read-only, and make writable again. Needs root. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export class SmallDisk {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @returns undefined where this process may not mount */
  static async mount(megabytes: number): Promise<SmallDisk | undefined> {
    const path = await mkdtemp(join(tmpdir(), 'rookery-disk-'))
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
      return new SmallDisk(path)
    } catch {
      await rm(path, { recursive: true, force: true })
      return undefined
    }
  }

  async grow(megabytes: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${megabytes}m`, this.path])
  }

  async makeReadOnly(): Promise<void> {
    await run('mount', ['-o', 'remount,ro', this.path])
  }

  async makeWritable(): Promise<void> {
    await run('mount', ['-o', 'remount,rw', this.path])
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.path])
    await rm(this.path, { recursive: true, force: true })
  }
}
