/**
 * Watches the sources of an application for `rookery dev`. Changes that come together are told together.
 */
import type { Stats } from 'node:fs'
import { basename, dirname, extname, relative } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

const SOURCES = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '.jsx',
  '.tsx',
  '.json',
  '.node',
  '.wasm',
])
const TEST = /\.(test|spec)\.[a-z]+$/
/** An editor, or a compiler, writes several files one after the other. */
const SETTLE_MS = 100
/** More names than that are not told. */
const MAX_NAMES = 1_000

export interface SourceWatchOptions {
  /** Its code and JSON, and files named `.env…`; nothing in `node_modules` and in directories with a dot. */
  root: string
  /** Files and directories, whatever is in them. */
  others: readonly string[]
  /** Not watched. */
  dataDir: string
  /** @param files absolute paths */
  onChange(files: string[]): void
  onError(error: unknown): void
}

export class SourceWatch {
  /** Resolves when changes are seen. */
  readonly ready: Promise<void>
  readonly #options: SourceWatchOptions
  readonly #watcher: FSWatcher
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: SourceWatchOptions) {
    this.#options = options
    this.#watcher = watch([options.root, ...options.others], {
      ignoreInitial: true,
      ignored: (path: string, stats?: Stats) => isIgnored(options, path, stats?.isFile() === true),
    })
    this.ready = new Promise((resolve) => this.#watcher.once('ready', () => resolve()))
    this.#watcher.on('all', (event, path) => {
      if (!event.endsWith('Dir')) this.#note(path)
    })
    this.#watcher.on('error', (error) => options.onError(error))
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#watcher.close()
  }

  #note(path: string): void {
    if (this.#changed.size < MAX_NAMES) this.#changed.add(path)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const files = [...this.#changed]
      this.#changed.clear()
      this.#options.onChange(files)
    }, SETTLE_MS)
  }
}

export type Watched = Pick<SourceWatchOptions, 'root' | 'others' | 'dataDir'>

/** Pure. @param isFile false as long as it is not known */
export function isIgnored({ root, others, dataDir }: Watched, path: string, isFile: boolean): boolean {
  const name = basename(path)
  if (path === root || others.includes(path)) return false
  if (path === dataDir || name === 'node_modules' || name === '.git') return true
  if (others.some((other) => isBelow(other, path))) return false
  if (name.startsWith('.env')) return false
  if (name.startsWith('.')) return true
  return isFile && (!SOURCES.has(extname(name)) || TEST.test(name))
}

const isBelow = (directory: string, path: string): boolean => !/^\.\.(\/|$)/.test(relative(directory, path))

/**
 * The directory to watch: the nearest one with a package.json, not above the working directory; else the
 * application's own.
 */
export function sourceRoot(app: string, cwd: string, hasPackage: (directory: string) => boolean): string {
  const own = extname(app) === '' ? app : dirname(app)
  for (let directory = own; isBelow(cwd, directory); directory = dirname(directory)) {
    if (hasPackage(directory)) return directory
    if (directory === cwd) break
  }
  return own
}
