/**
 * Collects writes and passes them to a stream as one: all writes of one turn of the event loop, and, for
 * writes that may wait, all within `GATHER_MS` while writes are frequent. Most of the cost of a small message
 * is the write itself and waking the process that reads it. There is no limit here: callers check
 * `queuedBytes` first.
 */
import type { Writable } from 'node:stream'

/** Above this many collected bytes the writer flushes at once. */
const FLUSH_BYTES = 256 * 1024
/** A `gather` write this soon after the last flush waits this long for others. */
const GATHER_MS = 2

/**
 * The latest time of the flush. `soon`: when the running callback is done. `turn`: at the end of the event
 * loop's turn. `gather`: at the end of the turn if there was no flush within `GATHER_MS`, else `GATHER_MS`
 * later. A flush takes all earlier writes along.
 */
export type FlushTiming = 'soon' | 'turn' | 'gather'

export class CorkedWriter {
  readonly #stream: Writable
  #collected: Buffer[] = []
  #collectedBytes = 0
  #immediate: NodeJS.Immediate | undefined
  #soon = false
  #gathering: NodeJS.Timeout | undefined
  #flushedAtMs = Number.NEGATIVE_INFINITY

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
    this.#flushedAtMs = performance.now()
    if (this.#stream.writable) this.#stream.write(Buffer.concat(collected, bytes))
  }

  #gather(): void {
    if (this.#immediate !== undefined || this.#gathering !== undefined) return
    if (performance.now() - this.#flushedAtMs > GATHER_MS) this.#flushThisTurn()
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
