/**
 * Cuts a stream of bytes into frames: four bytes of length, big-endian, then so many bytes. Without I/O.
 * A frame may lie in any number of chunks; it is put together once, when its last byte is there.
 */
export const LENGTH_BYTES = 4

/** What came in is not what the format says. Whoever reads closes the stream: nothing after it can be trusted. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export class FrameReader {
  /** Longest frame that is let through, without its length. */
  maxFrameBytes: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  /** The frames that `chunk` completes, without their lengths. They are views: copy what is kept for long. */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#wanted()) return []
    return this.#cut()
  }

  /** Bytes that must be there before there is anything to do. */
  #wanted(): number {
    if (this.#bytes < LENGTH_BYTES) return LENGTH_BYTES
    const [first] = this.#parts
    const head = first !== undefined && first.length >= LENGTH_BYTES ? first : this.#joined()
    return LENGTH_BYTES + this.#length(head, 0)
  }

  #cut(): Buffer[] {
    const bytes = this.#joined()
    const frames: Buffer[] = []
    let at = 0
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + this.#length(bytes, at)
      if (end > bytes.length) break
      frames.push(bytes.subarray(at + LENGTH_BYTES, end))
      at = end
    }
    const rest = bytes.subarray(at)
    this.#parts = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    return frames
  }

  #joined(): Buffer {
    const [first] = this.#parts
    if (this.#parts.length === 1 && first !== undefined) return first
    const joined = Buffer.concat(this.#parts, this.#bytes)
    this.#parts = [joined]
    return joined
  }

  #length(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at)
    if (length === 0) throw new FrameError('an empty frame')
    if (length > this.maxFrameBytes)
      throw new FrameError(`a frame of ${length} bytes, ${this.maxFrameBytes} allowed`)
    return length
  }
}
