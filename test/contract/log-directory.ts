/** A directory for a log, ordinary or on its own small disk, and what a test opens there. Removed at the end. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from '../../src/log/embedded-log.ts'

export class LogDirectory {
  readonly path: string
  readonly #mounted: boolean
  readonly #open: { close(): Promise<void> }[] = []

  private constructor(path: string, mounted: boolean) {
    this.path = path
    this.#mounted = mounted
  }

  static async ordinary(): Promise<LogDirectory> {
    return new LogDirectory(await mkdtemp(join(tmpdir(), 'rookery-log-')), false)
  }

  /** An existing directory. */
  static at(path: string): LogDirectory {
    return new LogDirectory(path, false)
  }

  static async disk(options: string): Promise<LogDirectory> {
    const path = await mkdtemp(join(tmpdir(), 'rookery-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
    return new LogDirectory(path, true)
  }

  remount(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.path])
  }

  async openLog(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    const log = await openEmbeddedLog({
      directory: this.path,
      retention: { messages: Infinity, days: Infinity },
      clock: Date.now,
      logger: pino({ level: 'silent' }),
      registry: new Registry(),
      ...options,
    })
    this.closeAtEnd(log)
    return log
  }

  closeAtEnd(what: { close(): Promise<void> }): void {
    this.#open.push(what)
  }

  async dispose(): Promise<void> {
    for (const each of this.#open) await each.close()
    if (this.#mounted) execFileSync('umount', [this.path])
    await rm(this.path, { recursive: true })
  }
}

/** Whether this machine lets the test mount its own small disks. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const path = mkdtempSync(join(tmpdir(), 'rookery-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' })
    execFileSync('umount', [path])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(path)
  }
}
