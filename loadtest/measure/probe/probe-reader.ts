/** Reads what the servers' probes (probe.js) have written since the last read. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** One second of a server process; times are those of system/clock.ts. */
const ProbeLine = z.object({
  at: z.number(),
  eventLoopDelayP99Ms: z.number(),
  eventLoopDelayMaxMs: z.number(),
  eventLoopUtilization: z.number(),
  rssBytes: z.number(),
  heapUsedBytes: z.number(),
  externalBytes: z.number(),
})
export type ProbeLine = z.infer<typeof ProbeLine>

/** Per file and read; the rest follows with the next. */
const READ_BYTES = 65_536

export class ProbeReader {
  readonly #directory: string
  readonly #offsets = new Map<string, number>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Of all processes, including those that have exited. */
  async take(): Promise<ProbeLine[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.jsonl'))
    const lines = await Promise.all(names.map((name) => this.#linesOf(name)))
    return lines.flat()
  }

  async #linesOf(name: string): Promise<ProbeLine[]> {
    const offset = this.#offsets.get(name) ?? 0
    const file = await open(join(this.#directory, name))
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, offset)
      // The last line may be incomplete.
      const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1
      this.#offsets.set(name, offset + end)
      const texts = buffer.toString('utf8', 0, end).split('\n').slice(0, -1)
      return texts.map((text) => ProbeLine.parse(JSON.parse(text)))
    } finally {
      await file.close()
    }
  }
}
