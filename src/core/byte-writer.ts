/** Appends numbers, texts and bytes to a growing buffer. Big-endian; texts are UTF-8. */
const FIRST_BYTES = 256

export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0

  u8(value: number): this {
    this.#room(1)
    this.#at = this.#buffer.writeUInt8(value, this.#at)
    return this
  }

  u16(value: number): this {
    this.#room(2)
    this.#at = this.#buffer.writeUInt16BE(value, this.#at)
    return this
  }

  u32(value: number): this {
    this.#room(4)
    this.#at = this.#buffer.writeUInt32BE(value, this.#at)
    return this
  }

  /** A text after a length of two bytes. Throws a RangeError when it is longer than 65,535 bytes. */
  text(value: string): this {
    const length = Buffer.byteLength(value)
    this.u16(length)
    return this.#text(value, length)
  }

  longText(value: string): this {
    const length = Buffer.byteLength(value)
    this.u32(length)
    return this.#text(value, length)
  }

  texts(values: readonly string[]): this {
    this.u16(values.length)
    for (const value of values) this.text(value)
    return this
  }

  longBytes(value: Uint8Array): this {
    return this.u32(value.length).bytes(value)
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** Overwrites the four bytes at `at`. */
  patchU32(at: number, value: number): this {
    this.#buffer.writeUInt32BE(value, at)
    return this
  }

  get length(): number {
    return this.#at
  }

  /** @returns the bytes. The writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #text(value: string, length: number): this {
    this.#room(length)
    this.#at += this.#buffer.write(value, this.#at, length, 'utf8')
    return this
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
