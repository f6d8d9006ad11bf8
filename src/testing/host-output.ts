/**
 * What a host writes: its log, lines of other kinds, and which of its workers are ready by the log. Keeps the
 * newest lines only.
 */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { z } from 'zod'

const logLine = z.looseObject({ level: z.union([z.string(), z.number()]), msg: z.string().default('') })
/** One line of the log: `level`, `msg`, `time`, `worker` … */
export type LogLine = z.infer<typeof logLine>

export interface ReadyWorker {
  /** `w1`, `w2` … Never used again by the same host. */
  readonly name: string
  readonly pid: number
}

export interface HostOutputOptions {
  /** Of the log, and again of other lines. */
  keptLines: number
  /** Called after each line. @param parsed undefined for lines that are not of the log */
  onLine(text: string, parsed: LogLine | undefined): void
}

export class HostOutput {
  /** Oldest first. */
  readonly logs: LogLine[] = []
  /** Lines on stderr, and lines that are not of the log. */
  readonly others: string[] = []
  readonly #options: HostOutputOptions
  readonly #workers = new Map<string, number>()

  constructor(options: HostOutputOptions) {
    this.#options = options
  }

  read(stream: Readable | null): void {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line))
  }

  /** Oldest first. */
  get workers(): ReadyWorker[] {
    return [...this.#workers].map(([name, pid]) => ({ name, pid }))
  }

  /** The worker will say no more: it was killed. */
  forget(worker: string): void {
    this.#workers.delete(worker)
  }

  #take(text: string): void {
    const parsed = parse(text)
    if (parsed === undefined) this.#keep(this.others, text)
    else {
      this.#keep(this.logs, parsed)
      this.#note(parsed)
    }
    this.#options.onLine(text, parsed)
  }

  #keep<T>(list: T[], item: T): void {
    list.push(item)
    if (list.length > this.#options.keptLines) list.shift()
  }

  #note({ msg, worker, workerPid }: LogLine): void {
    if (msg === 'worker ready') this.#workers.set(String(worker), Number(workerPid))
    if (msg === 'worker died' || msg === 'worker left') this.#workers.delete(String(worker))
  }
}

function parse(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return logLine.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
