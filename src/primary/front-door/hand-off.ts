/**
 * Passes connections to one worker, in the protocol of `@socket.io/sticky`, a few at a time, and keeps the primary's
 * copy of each until the worker has said that it took it. It chooses no worker and queues nothing.
 *
 * Why a few: while a handle is under way Node holds back every later message on the channel. Why a copy: a worker says
 * `taken` before it touches a connection, so one that died without having said it has neither read nor written
 * anything, and the connection can go to another worker whatever its request is. Reading stopped before the transfer,
 * hence what the client sends meanwhile waits in the kernel. Closing the copy afterwards closes one descriptor of two:
 * the connection itself goes on.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import type { HandOverMessage } from '../../wire/control.ts'
import type { ConnectionOrigin } from '../forward/index.ts'

export interface HandOffTarget {
  readonly name: string
  /** The worker's tag in session ids. */
  readonly tag: string
  readonly channel: HandOffChannel
}

/** What is needed of a `cluster.Worker`. */
export interface HandOffChannel {
  isConnected(): boolean
  once(event: 'disconnect', listener: () => void): unknown
  send(
    message: HandOverMessage,
    handle: Socket,
    options: { keepOpen: boolean },
    callback: (error: Error | null) => void,
  ): boolean
}

export interface Flight {
  readonly socket: Socket
  /** What was read of the connection so far. */
  readonly bytes: Buffer
  /** Only of a connection that came from another host. */
  readonly origin?: ConnectionOrigin | undefined
}

/** What a worker says of a connection that it was sent. */
export interface Receipt {
  /** Of the message that it came with. */
  readonly id: number
  /** Whether it came. */
  readonly arrived: boolean
}

export interface HandOffOptions<T extends Flight> {
  /** A connection that was not taken within so long is closed, and makes room for another. */
  flightTimeoutMs: number
  now: () => number
  /** The worker has it. */
  onTaken(flight: T): void
  /** The worker did not begin with it, and never will. */
  onReturned(flight: T): void
  /** It did not come, or nobody knows; it was closed. The worker may have been out of file descriptors, or hangs. */
  onLost(flight: T): void
}

/** A connection under way. Its id lets what is said of it after its deadline fall on no other. */
interface Sent<T extends Flight> {
  readonly id: number
  readonly flight: T
}

export class HandOff<T extends Flight> {
  readonly target: HandOffTarget
  readonly #options: HandOffOptions<T>
  readonly #flights: DeadlineSet<Sent<T>>
  readonly #byId = new Map<number, Sent<T>>()
  #lastId = 0
  #hasFailed = false

  constructor(target: HandOffTarget, options: HandOffOptions<T>) {
    this.target = target
    this.#options = options
    this.#flights = new DeadlineSet({
      limitMs: options.flightTimeoutMs,
      now: options.now,
      onOverdue: (sent) => {
        this.#byId.delete(sent.id)
        this.#lose(sent.flight)
      },
    })
  }

  /** False from the first sign that the channel is closed: the end of the worker may be known much later. */
  get isOpen(): boolean {
    return !this.#hasFailed && this.target.channel.isConnected()
  }

  get inFlight(): number {
    return this.#flights.size
  }

  /** When the oldest connection under way was sent; undefined when none is. */
  get oldestSentAt(): number | undefined {
    return this.#flights.oldestSince
  }

  send(flight: T): void {
    this.#lastId += 1
    const sent = { id: this.#lastId, flight }
    this.#flights.add(sent)
    this.#byId.set(sent.id, sent)
    const message: HandOverMessage = {
      type: 'sticky:connection',
      id: sent.id,
      data: flight.bytes,
      ...(flight.origin && { client: flight.origin.client }),
    }
    this.target.channel.send(message, flight.socket, { keepOpen: true }, (error) => {
      if (error === null) return
      this.#hasFailed = true
      if (this.#remove(sent)) this.#options.onReturned(flight)
    })
  }

  /** What is said of one whose deadline is over, or that was never sent, changes nothing. */
  taken({ id, arrived }: Receipt): void {
    const sent = this.#byId.get(id)
    if (sent === undefined) return
    this.#remove(sent)
    const { flight } = sent
    if (arrived) {
      this.#options.onTaken(flight)
      flight.socket.destroy()
    } else if (!flight.socket.destroyed) this.#lose(flight)
  }

  /**
   * The worker has ended. What it said before its end is still read from its channel, and only then is clear which
   * connections it never took: they are returned, and `done` is called.
   */
  abandon(done: () => void): void {
    this.#hasFailed = true
    const returnAll = () => {
      done()
      for (const flight of this.#clear()) this.#options.onReturned(flight)
    }
    if (this.target.channel.isConnected()) this.target.channel.once('disconnect', returnAll)
    else returnAll()
  }

  /** Closes the primary's copies. */
  destroy(): void {
    for (const flight of this.#clear()) flight.socket.destroy()
  }

  #remove(sent: Sent<T>): boolean {
    this.#byId.delete(sent.id)
    return this.#flights.delete(sent)
  }

  /** @returns what was under way, the oldest first */
  #clear(): T[] {
    this.#byId.clear()
    return this.#flights.clear().map(({ flight }) => flight)
  }

  #lose(flight: T): void {
    flight.socket.destroy()
    this.#options.onLost(flight)
  }
}
