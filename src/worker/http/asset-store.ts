/**
 * Keeps the page's assets (files with a hash of the content in their names) of this and of earlier versions
 * in the data directory, where workers of each version find those of the others: while workers are replaced,
 * a page of one version asks a worker of another, and a page that was opened before an upgrade asks later.
 *
 * A file's modification time is when it may be deleted: far in the future while the version of a worker has
 * it, and some weeks after the first start of a version that no longer has it.
 */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import type { HostClock } from '../../core/host-clock.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import { ASSETS, ENCODINGS, type StaticFile, staticFile } from './static-files.ts'

export interface AssetStoreOptions {
  /** Created when it is missing. */
  directory: string
  logger: Logger
  registry: Registry
  clock: Pick<HostClock, 'now' | 'canJudgeAges'>
  maxBytes?: number
}

interface StoredFile {
  name: string
  bytes: number
  deleteAtMs: number
}

const KEEP_MS = 30 * 24 * 3_600_000
/** About a hundred versions. */
const MAX_BYTES = 64 * 1024 ** 2
/** Some file systems make it 2038. */
const IN_USE_MS = Date.UTC(2100)
/** A file that another worker may still be writing. */
const PARTIAL = '.'
const PARTIAL_MS = 3_600_000
const WARN_EVERY_MS = 60_000
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$/

export class AssetStore {
  readonly #options: AssetStoreOptions
  readonly #warningThrottle = new LogThrottle(WARN_EVERY_MS)
  readonly #asked: Counter<'result'>

  constructor(options: AssetStoreOptions) {
    this.#options = options
    this.#asked = new Counter({
      name: 'rookery_page_assets_of_other_versions_total',
      help: 'Requests for page assets that this version does not have',
      labelNames: ['result'],
      registers: [options.registry],
    })
  }

  /**
   * Stores the assets of this version. To be called before its page is served to anybody. Without them the
   * worker still works: a failure is logged.
   * @param contents files by URL path
   */
  keep(contents: ReadonlyMap<string, Buffer>): void {
    const { directory } = this.#options
    try {
      mkdirSync(directory, { recursive: true })
      const own = new Map(
        [...contents]
          .filter(([path]) => path.startsWith(ASSETS))
          .map(([path, body]) => [path.slice(ASSETS.length), body]),
      )
      for (const [name, body] of own) this.#store(name, body)
      this.#retire(own)
    } catch (error) {
      this.#options.logger.warn({ err: error, directory }, 'the files of the page could not be kept')
    }
  }

  /** @returns undefined if no version that is kept has it, or it can't be read */
  async find(path: string): Promise<StaticFile | undefined> {
    const contents = new Map<string, Buffer>()
    try {
      const name = path.slice(ASSETS.length)
      const suffixes = NAME.test(name) ? ['', ...ENCODINGS.map(([, suffix]) => suffix)] : []
      await Promise.all(suffixes.map((suffix) => this.#read(path + suffix, contents)))
    } catch (error) {
      this.#warningThrottle.run((heldBack) =>
        this.#options.logger.warn({ err: error, path, heldBack }, 'a file of the page could not be read'),
      )
    }
    const file = staticFile(path, contents)
    this.#asked.inc({ result: file === undefined ? 'missing' : 'found' })
    return file
  }

  async #read(path: string, contents: Map<string, Buffer>): Promise<void> {
    try {
      contents.set(path, await readFile(join(this.#options.directory, path.slice(ASSETS.length))))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** Complete or not at all: other workers write and read the same files. */
  #store(name: string, body: Buffer): void {
    const path = join(this.#options.directory, name)
    if (statSync(path, { throwIfNoEntry: false })?.size !== body.length) {
      const partial = join(this.#options.directory, `${PARTIAL}${randomUUID()}`)
      const file = openSync(partial, 'wx', 0o600)
      try {
        writeFileSync(file, body)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(partial, path)
    }
    setDeletion(path, IN_USE_MS)
  }

  /** Files of other versions get their time; what is due, or over the limit of bytes, is deleted. */
  #retire(own: ReadonlyMap<string, Buffer>): void {
    const { directory, maxBytes = MAX_BYTES, clock } = this.#options
    const others = this.#stored().filter(({ name }) => !own.has(name))
    const nowMs = clock.now()
    const latestMs = nowMs + KEEP_MS
    for (const file of others) {
      if (file.deleteAtMs <= latestMs) continue
      file.deleteAtMs = latestMs
      setDeletion(join(directory, file.name), latestMs)
    }
    let freeBytes = maxBytes
    for (const { name, bytes, deleteAtMs } of others.toSorted((a, b) => b.deleteAtMs - a.deleteAtMs)) {
      freeBytes -= bytes
      const isDue = deleteAtMs < nowMs && clock.canJudgeAges()
      if (isDue || freeBytes < 0) rmSync(join(directory, name), { force: true })
    }
  }

  #stored(): StoredFile[] {
    const { directory } = this.#options
    return readdirSync(directory).flatMap((name) => {
      const stats = statSync(join(directory, name), { throwIfNoEntry: false })
      if (stats === undefined) return []
      const deleteAtMs = stats.mtimeMs + (name.startsWith(PARTIAL) ? PARTIAL_MS : 0)
      return [{ name, bytes: stats.size, deleteAtMs }]
    })
  }
}

/** Another worker may have deleted it. */
function setDeletion(path: string, atMs: number): void {
  try {
    utimesSync(path, atMs / 1000, atMs / 1000)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
