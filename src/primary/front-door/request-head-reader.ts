/**
 * Reads the request head of each new connection, with limits on bytes, time and the number of incomplete
 * heads. Stops reading before it passes the connection on. Does not decide where a connection goes.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { HttpHeadParser, type RequestHead } from '../../core/http-head-parser.ts'
import type { ConnectionOrigin } from '../forward/index.ts'

/** A connection with its first request head. */
export interface Arrival {
  readonly socket: Socket
  readonly head: RequestHead
  /** All bytes of the client that were read so far. */
  readonly bytes: Buffer
  /** How many of them a worker had read. */
  readonly handedBackBytes: number
  /** Set if the connection came from another host. */
  readonly origin: ConnectionOrigin | undefined
}

export interface HeadRefusal {
  status: number
  reason: string
  /** What was read of the head. */
  bytes: Buffer
}

export interface HeadReaderOptions {
  headBytes: number
  headTimeoutMs: number
  pendingHeads: number
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
  stop(): void
}

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
    const pending: PendingHead = {
      socket,
      handedBackBytes: bytes?.length ?? 0,
      origin,
      reader: new HttpHeadParser(this.#options.headBytes),
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
    const { socket, reader, handedBackBytes, origin } = pending
    const progress = reader.push(chunk)
    if (progress.state === 'partial') return true
    this.#pending.delete(pending)
    pending.stop()
    if (progress.state === 'refused') this.#options.onRefused(socket, { ...progress, bytes: reader.bytes })
    else {
      if (this.#options.stopReadingBeforeTransfer) stopReading(socket, reader.bytes)
      this.#options.onHead({ socket, head: progress.head, bytes: reader.bytes, handedBackBytes, origin })
    }
    return false
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
    this.#options.onRefused(pending.socket, { ...refusal, bytes })
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
