/**
 * Collects what is written and hands it to a stream as one write: what one turn of the event loop writes, and of what can wait a
 * little, what comes within `GATHER_MS` while writes come thick. Most of what a small message costs is the write, and waking the
 * process that reads it. It bounds nothing: whoever writes looks at `queuedBytes` first.
 */
import type { Writable } from 'node:stream'

/** What is collected leaves at once beyond so many bytes. */
const FLUSH_BYTES = 256 * 1024
/** So soon after the last write, what can wait does so for as long. */
const GATHER_MS = 2

/**
 * When something leaves, at the latest. `soon`: when the running callback is done. `turn`: at the end of the event loop's turn. `gather`:
 * likewise when nothing has left for a while, else a little later. Whatever leaves takes along all that was written before it.
 */
export type FlushTiming = 'soon' | 'turn' | 'gather'

export class CorkedWriter {
  readonly #stream: Writable
  #collected: Buffer[] = []
  #collectedBytes = 0
  #immediate: NodeJS.Immediate | undefined
  #soon = false
  #gathering: NodeJS.Timeout | undefined
  #leftAtMs = Number.NEGATIVE_INFINITY

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Bytes that have not left the process yet. */
  get queuedBytes(): number {
    return this.#collectedBytes + this.#stream.writableLength
  }

  write(bytes: Buffer, timing: FlushTiming = 'turn'): void {
    this.#collected.push(bytes)
    this.#collectedBytes += bytes.length
    if (this.#collectedBytes >= FLUSH_BYTES) this.flush()
    else if (timing === 'soon') this.#flushSoon()
    else if (timing === 'turn') this.#flushThisTurn()
    else this.#gather()
  }

  flush(): void {
    clearImmediate(this.#immediate)
    clearTimeout(this.#gathering)
    this.#immediate = undefined
    this.#gathering = undefined
    const collected = this.#collected
    if (collected.length === 0) return
    const bytes = this.#collectedBytes
    this.#collected = []
    this.#collectedBytes = 0
    this.#leftAtMs = performance.now()
    if (this.#stream.writable) this.#stream.write(Buffer.concat(collected, bytes))
  }

  #gather(): void {
    if (this.#immediate !== undefined || this.#gathering !== undefined) return
    if (performance.now() - this.#leftAtMs > GATHER_MS) this.#flushThisTurn()
    else this.#gathering = setTimeout(() => this.flush(), GATHER_MS)
  }

  #flushThisTurn(): void {
    this.#immediate ??= setImmediate(() => this.flush())
  }

  #flushSoon(): void {
    if (this.#soon) return
    this.#soon = true
    process.nextTick(() => {
      this.#soon = false
      this.flush()
    })
  }
}
