/** A wall clock that can jump while a host runs (Debian's libfaketime). The monotonic clock runs evenly. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LIBRARIES = '/usr/lib'
const FILE = 'faketime/libfaketimeMT.so.1'

function library(): string {
  const found = readdirSync(LIBRARIES)
    .map((folder) => join(LIBRARIES, folder, FILE))
    .find(existsSync)
  if (found === undefined) throw new Error('libfaketime is not installed')
  return found
}

export class JumpingClock {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async open(): Promise<JumpingClock> {
    const clock = new JumpingClock(await mkdtemp(join(tmpdir(), 'rookery-clock-')))
    await clock.jumpTo(0)
    return clock
  }

  get #file(): string {
    return join(this.#directory, 'offset')
  }

  /** Environment of the host. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Seconds after which a process reads the offset again.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Environment of a program with jemalloc, such as Redis: that one asks for the time before the library can answer. */
  get jemallocEnv(): Record<string, string> {
    return { ...this.env, LD_PRELOAD: `libc_malloc_debug.so.0 ${library()}` }
  }

  /** Sets the clock to this many seconds after (or, if negative, before) the true time. */
  async jumpTo(seconds: number): Promise<void> {
    const whole = `${this.#file}.new`
    await writeFile(whole, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
    await rename(whole, this.#file)
  }

  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}
