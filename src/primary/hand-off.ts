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
import { DeadlineSet } from '../core/deadline-set.ts'

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
    message: { type: 'sticky:connection'; data: Buffer },
    handle: Socket,
    options: { keepOpen: boolean },
    callback: (error: Error | null) => void,
  ): boolean
}

export interface Flight {
  readonly socket: Socket
  /** What was read of the connection so far. */
  readonly bytes: Buffer
}

export interface HandOffOptions<T extends Flight> {
  /** A connection that was not taken within so long is closed, and makes room for another. */
  flightTimeoutMs: number
  now: () => number
  /** The worker has it. */
  onTaken(flight: T): void
  /** The worker did not begin with it, and never will. */
  onReturned(flight: T): void
  /** Nobody knows; it was closed. The worker may have been out of file descriptors, or hangs. */
  onLost(flight: T): void
}

export class HandOff<T extends Flight> {
  readonly target: HandOffTarget
  readonly #options: HandOffOptions<T>
  readonly #flights: DeadlineSet<T>
  #hasFailed = false

  constructor(target: HandOffTarget, options: HandOffOptions<T>) {
    this.target = target
    this.#options = options
    this.#flights = new DeadlineSet({
      limitMs: options.flightTimeoutMs,
      now: options.now,
      onOverdue: (flight) => {
        flight.socket.destroy()
        options.onLost(flight)
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
    this.#flights.add(flight)
    const message = { type: 'sticky:connection', data: flight.bytes } as const
    this.target.channel.send(message, flight.socket, { keepOpen: true }, (error) => {
      if (error === null) return
      this.#hasFailed = true
      if (this.#flights.delete(flight)) this.#options.onReturned(flight)
    })
  }

  /** The worker took so many, the oldest first. */
  taken(count: number): void {
    for (let left = Math.min(count, this.#flights.size); left > 0; left -= 1) {
      const flight = this.#flights.oldest
      if (flight === undefined) return
      this.#flights.delete(flight)
      this.#options.onTaken(flight)
      flight.socket.destroy()
    }
  }

  /**
   * The worker has ended. What it said before its end is still read from its channel, and only then is clear which
   * connections it never took: they are returned, and `done` is called.
   */
  abandon(done: () => void): void {
    this.#hasFailed = true
    const returnAll = () => {
      done()
      for (const flight of this.#flights.clear()) this.#options.onReturned(flight)
    }
    if (this.target.channel.isConnected()) this.target.channel.once('disconnect', returnAll)
    else returnAll()
  }

  /** Closes the primary's copies. */
  destroy(): void {
    for (const flight of this.#flights.clear()) flight.socket.destroy()
  }
}
