/**
 * Splits a stream of bytes into frames: a length of four bytes, big-endian, then that many bytes. No I/O.
 * A frame may span any number of chunks; they are joined once, when the last byte is there.
 */
export const LENGTH_BYTES = 4

/** Bytes that do not fit the format. The reader must close the stream: nothing after them can be trusted. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export class FrameReader {
  /** Longest allowed frame, without its length bytes. */
  maxFrameBytes: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  /**
   * @returns the frames that `chunk` completes, without their length bytes. They are views: copy what you
   * keep.
   */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#needed()) return []
    return this.#cut()
  }

  /** Bytes needed before the next frame is complete. */
  #needed(): number {
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
