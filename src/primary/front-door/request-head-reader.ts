/**
 * Reads the request head of each new connection, within limits of bytes, of time and of the number of heads under way,
 * and stops reading before it gives the connection on. It decides nothing about where a connection goes.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { HttpHeadParser, type RequestHead } from '../../core/http-head-parser.ts'
import type { ConnectionOrigin } from '../forward/index.ts'

/** A connection with its first request head. */
export interface Arrival {
  readonly socket: Socket
  readonly head: RequestHead
  /** All that was read of the client's so far. */
  readonly bytes: Buffer
  /** Only of a connection that came from another host. */
  readonly origin: ConnectionOrigin | undefined
}

export interface HeadReaderOptions {
  headBytes: number
  headTimeoutMs: number
  pendingHeads: number
  /** Taken out in one check of the tests alone: they must notice what is lost then. */
  stopReadingBeforeTransfer: boolean
  now: () => number
  onHead(arrival: Arrival): void
  onRefused(socket: Socket, refusal: { status: number; reason: string }): void
}

interface PendingHead {
  socket: Socket
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

  begin(socket: Socket, origin?: ConnectionOrigin): void {
    this.#makeRoom()
    const onData = (chunk: Buffer) => this.#read(pending, chunk)
    const onGone = () => {
      pending.stop()
      this.#pending.delete(pending)
    }
    const pending: PendingHead = {
      socket,
      origin,
      reader: new HttpHeadParser(this.#options.headBytes),
      stop: () => socket.off('data', onData).off('end', onGone).off('close', onGone),
    }
    this.#pending.add(pending)
    socket.on('data', onData).on('end', onGone).on('close', onGone)
  }

  close(): void {
    for (const pending of this.#pending.clear()) {
      pending.stop()
      pending.socket.destroy()
    }
  }

  #read(pending: PendingHead, chunk: Buffer): void {
    const { socket, reader, origin } = pending
    const progress = reader.push(chunk)
    if (progress.state === 'partial') return
    this.#pending.delete(pending)
    pending.stop()
    if (progress.state === 'refused') {
      this.#options.onRefused(socket, progress)
      return
    }
    if (this.#options.stopReadingBeforeTransfer) stopReading(socket, reader.bytes)
    this.#options.onHead({ socket, head: progress.head, bytes: reader.bytes, origin })
  }

  /** With as many heads under way as there may be, the one that has taken longest goes: a quick client always gets in. */
  #makeRoom(): void {
    const oldest = this.#pending.oldest
    if (oldest === undefined || this.#pending.size < this.#options.pendingHeads) return
    this.#pending.delete(oldest)
    this.#giveUp(oldest, { status: 503, reason: 'crowded' })
  }

  /** A client that has said nothing gets no answer: there is no request that it would belong to. */
  #giveUp(pending: PendingHead, refusal: { status: number; reason: string }): void {
    pending.stop()
    if (pending.reader.bytes.length === 0) pending.socket.destroy()
    this.#options.onRefused(pending.socket, refusal)
  }
}

/**
 * Makes Node stop reading on the handle itself as soon as the present 'data' event is over. `pause` alone lets it read
 * on into the stream's buffer, past the hand-over (nodejs/node#8353). A stream that holds at least as many bytes as its
 * mark, here 1, makes `push` say no, and then Node calls `readStop`.
 */
function stopReading(socket: Socket, bytes: Buffer): void {
  socket.pause()
  socket.unshift(bytes)
}
