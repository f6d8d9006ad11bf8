/**
 * Reads the request head of each new connection, with limits on bytes, time and the number of incomplete
 * heads; before it the header of the PROXY protocol, where one is expected. Stops reading before it passes the connection on. Does not decide where a connection goes.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { HttpHeadParser, type RequestHead } from '../../core/http-head-parser.ts'
import { readProxyHeader } from '../../core/proxy-header.ts'
import type { ConnectionOrigin } from '../forward/index.ts'

/** A connection with its first request head. */
export interface Arrival {
  readonly socket: Socket
  readonly head: RequestHead
  /** All bytes of the client that were read so far. */
  readonly bytes: Buffer
  /** How many of them a worker had read. */
  readonly handedBackBytes: number
  /** Set if the connection came through another host or a proxy that says whose it is. */
  readonly origin: ConnectionOrigin | undefined
  /** The header of the PROXY protocol was expected, and the request came without it. */
  readonly lacksProxyHeader: boolean
}

export interface HeadRefusal {
  status: number
  reason: string
  /** What was read of the head. */
  bytes: Buffer
  /** What is refused is the header of the PROXY protocol, not the request. */
  isProxyHeader: boolean
}

export interface HeadReaderOptions {
  headBytes: number
  headTimeoutMs: number
  pendingHeads: number
  /** Whether the connection must begin with the header of the PROXY protocol. */
  expectsProxyHeader(socket: Socket): boolean
  /** Tests switch it off to prove that they would notice the loss. */
  stopReadingBeforeTransfer: boolean
  now: () => number
  onHead(arrival: Arrival): void
  onRefused(socket: Socket, refusal: HeadRefusal): void
}

interface PendingHead {
  socket: Socket
  handedBackBytes: number
  origin: ConnectionOrigin | undefined
  reader: HttpHeadParser
  /** The header of the PROXY protocol so far; undefined when there is none to come. */
  proxyHeader: Buffer | undefined
  lacksProxyHeader: boolean
  stop(): void
}

const NOTHING = Buffer.alloc(0)

/** The socket must have a `readableHighWaterMark` of 1: see `stopReading`. */
export class RequestHeadReader {
  readonly #options: HeadReaderOptions
  readonly #pending: DeadlineSet<PendingHead>

  constructor(options: HeadReaderOptions) {
    this.#options = options
    this.#pending = new DeadlineSet({
      limitMs: options.headTimeoutMs,
      now: options.now,
      onOverdue: (pending) => this.#giveUp(pending, { status: 408, reason: 'too slow' }),
    })
  }

  get size(): number {
    return this.#pending.size
  }

  /**
   * @param origin set if the connection came from another host
   * @param bytes what a worker has read of a connection that it handed back
   */
  begin(socket: Socket, { origin, bytes }: { origin?: ConnectionOrigin; bytes?: Buffer | undefined }): void {
    this.#makeRoom()
    const onData = (chunk: Buffer) => this.#read(pending, chunk)
    const onGone = () => {
      pending.stop()
      this.#pending.delete(pending)
    }
    const isNew = origin === undefined && bytes === undefined
    const pending: PendingHead = {
      socket,
      handedBackBytes: bytes?.length ?? 0,
      origin,
      reader: new HttpHeadParser(this.#options.headBytes),
      proxyHeader: isNew && this.#options.expectsProxyHeader(socket) ? NOTHING : undefined,
      lacksProxyHeader: false,
      stop: () => socket.off('data', onData).off('end', onGone).off('close', onGone),
    }
    this.#pending.add(pending)
    socket.on('data', onData).on('end', onGone).on('close', onGone)
    // A connection that was handed back is not being read. With a whole head it stays so.
    if (bytes !== undefined && (bytes.length === 0 || this.#read(pending, bytes))) socket.resume()
  }

  close(): void {
    for (const pending of this.#pending.clear()) {
      pending.stop()
      pending.socket.destroy()
    }
  }

  /** @returns whether the head is still incomplete */
  #read(pending: PendingHead, chunk: Buffer): boolean {
    const { socket, reader, handedBackBytes } = pending
    const ofClient = this.#readProxyHeader(pending, chunk)
    if (ofClient === undefined) return false
    if (ofClient.length === 0) return true
    const progress = reader.push(ofClient)
    if (progress.state === 'partial') return true
    this.#finish(pending)
    const { bytes } = reader
    if (progress.state === 'refused') {
      this.#options.onRefused(socket, { ...progress, bytes, isProxyHeader: false })
      return false
    }
    if (this.#options.stopReadingBeforeTransfer) stopReading(socket, bytes)
    const { origin, lacksProxyHeader } = pending
    this.#options.onHead({ socket, head: progress.head, bytes, handedBackBytes, origin, lacksProxyHeader })
    return false
  }

  /** @returns what came after the header, nothing while it is incomplete; undefined if it was refused */
  #readProxyHeader(pending: PendingHead, chunk: Buffer): Buffer | undefined {
    if (pending.proxyHeader === undefined) return chunk
    const bytes = Buffer.concat([pending.proxyHeader, chunk])
    pending.proxyHeader = bytes
    const progress = readProxyHeader(bytes)
    if (progress.state === 'partial') return NOTHING
    pending.proxyHeader = undefined
    if (progress.state === 'refused') {
      this.#finish(pending)
      const refusal = { status: 400, reason: 'malformed PROXY header', bytes, isProxyHeader: true }
      this.#options.onRefused(pending.socket, refusal)
      return undefined
    }
    if (progress.state === 'absent') {
      pending.lacksProxyHeader = true
      return bytes
    }
    const { client, headerBytes } = progress
    pending.origin = { via: 'proxy', client, preambleBytes: headerBytes }
    return bytes.subarray(headerBytes)
  }

  #finish(pending: PendingHead): void {
    this.#pending.delete(pending)
    pending.stop()
  }

  /** At the limit of incomplete heads the oldest one is dropped, so that a fast client always gets in. */
  #makeRoom(): void {
    const oldest = this.#pending.oldest
    if (oldest === undefined || this.#pending.size < this.#options.pendingHeads) return
    this.#pending.delete(oldest)
    this.#giveUp(oldest, { status: 503, reason: 'crowded' })
  }

  /** A client that has sent nothing gets no response: there is no request to respond to. */
  #giveUp(pending: PendingHead, refusal: { status: number; reason: string }): void {
    const { bytes } = pending.reader
    pending.stop()
    if (bytes.length === 0) pending.socket.destroy()
    this.#options.onRefused(pending.socket, { ...refusal, bytes, isProxyHeader: false })
  }
}

/**
 * Makes Node stop reading from the handle itself at the end of the current 'data' event. `pause` alone lets
 * it read on into the stream's buffer, past the hand-off (nodejs/node#8353). If a stream holds at least as
 * many bytes as its high-water mark, here 1, `push` returns false and Node calls `readStop`.
 */
function stopReading(socket: Socket, bytes: Buffer): void {
  socket.pause()
  socket.unshift(bytes)
}
