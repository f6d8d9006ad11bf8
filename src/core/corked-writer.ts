/**
 * Collects what one turn of the event loop writes and hands it to a stream as one write. It bounds nothing: whoever
 * writes looks at `queuedBytes` first.
 */
import type { Writable } from 'node:stream'

/** What is collected leaves at once beyond so many bytes. */
const FLUSH_BYTES = 256 * 1024

export class CorkedWriter {
  readonly #stream: Writable
  #collected: Buffer[] = []
  #collectedBytes = 0
  #immediate: NodeJS.Immediate | undefined
  #soon = false

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Bytes that have not left the process yet. */
  get queuedBytes(): number {
    return this.#collectedBytes + this.#stream.writableLength
  }

  /** @param soon leaves when the running callback is done, not at the end of the turn */
  write(bytes: Buffer, soon = false): void {
    this.#collected.push(bytes)
    this.#collectedBytes += bytes.length
    if (this.#collectedBytes >= FLUSH_BYTES) this.flush()
    else if (soon) this.#flushSoon()
    else this.#immediate ??= setImmediate(() => this.flush())
  }

  flush(): void {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    const collected = this.#collected
    if (collected.length === 0) return
    const bytes = this.#collectedBytes
    this.#collected = []
    this.#collectedBytes = 0
    if (this.#stream.writable) this.#stream.write(Buffer.concat(collected, bytes))
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
