/** Reads what a `ByteWriter` wrote. Reading past the end throws a `FrameError`. */
import { FrameError } from './byte-frames.ts'

export class ByteReader {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#advance(1))
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#advance(2))
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4))
  }

  text(): string {
    return this.#text(this.u16())
  }

  longText(): string {
    return this.#text(this.u32())
  }

  texts(): string[] {
    const count = this.u16()
    const values: string[] = []
    for (let index = 0; index < count; index += 1) values.push(this.text())
    return values
  }

  /** A view, not a copy. */
  longBytes(): Buffer {
    const length = this.u32()
    const from = this.#advance(length)
    return this.#buffer.subarray(from, from + length)
  }

  /** The remaining bytes, as a view. */
  rest(): Buffer {
    return this.#buffer.subarray(this.#advance(this.#buffer.length - this.#at))
  }

  /** Throws unless all bytes have been read. */
  end(): void {
    if (this.#at !== this.#buffer.length) throw new FrameError('bytes left over')
  }

  #text(length: number): string {
    const from = this.#advance(length)
    return this.#buffer.toString('utf8', from, from + length)
  }

  #advance(bytes: number): number {
    const from = this.#at
    if (from + bytes > this.#buffer.length) throw new FrameError('ends too early')
    this.#at = from + bytes
    return from
  }
}
