/**
 * What Node's HTTP server sees of a kept connection: a stream that gets the bytes of one request at a time,
 * and writes to the socket. Everything else that HTTP handlers use of a socket is passed on to it.
 */
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'

type Callback = (error?: Error | null) => void

export interface HttpStreamEvents {
  /** It takes more bytes. */
  onRead(): void
  onClosed(): void
}

export class HttpStream extends Duplex {
  readonly #socket: Socket
  readonly #events: HttpStreamEvents
  #isDetached = false

  constructor(socket: Socket, events: HttpStreamEvents) {
    super({ allowHalfOpen: socket.allowHalfOpen })
    this.#socket = socket
    this.#events = events
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  get localFamily(): string | undefined {
    return this.#socket.localFamily
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten
  }

  address(): AddressInfo | object {
    return this.#socket.address()
  }

  setTimeout(timeoutMs: number, onTimeout?: () => void): this {
    if (onTimeout !== undefined) this.once('timeout', onTimeout)
    this.#socket.setTimeout(timeoutMs)
    return this
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay(noDelay)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#socket.setKeepAlive(enable, initialDelayMs)
    return this
  }

  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }

  /** Closes after everything has been written. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Leaves the socket to somebody else, open, and closes itself. */
  detach(): void {
    this.#isDetached = true
    this.destroy()
  }

  override _read(): void {
    this.#events.onRead()
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: Callback): void {
    this.#socket.write(chunk, encoding, callback)
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], callback: Callback): void {
    this.#socket.cork()
    for (const [index, { chunk, encoding }] of chunks.entries()) {
      if (index < chunks.length - 1) this.#socket.write(chunk, encoding)
      else this.#socket.write(chunk, encoding, callback)
    }
    this.#socket.uncork()
  }

  override _final(callback: Callback): void {
    if (this.#isDetached || this.#socket.destroyed) callback()
    else this.#socket.end(callback)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.#isDetached) this.#socket.destroy()
    this.#events.onClosed()
    callback(error)
  }
}
