/**
 * Passes connections to one worker in the protocol of `@socket.io/sticky`, a few at a time. Keeps the
 * primary's copy of each until the worker has reported that it took it. Chooses no worker and queues
 * nothing.
 *
 * A few at a time, because Node holds back every later message on the channel while a handle is in flight. A
 * copy, because a worker reports `taken` before it touches a connection: a worker that died without the
 * report has neither read nor written anything, so the connection can go to another worker whatever its
 * request is. Reading stops before the transfer, so bytes that the client sends meanwhile wait in the
 * kernel. Closing the copy closes one of two descriptors; the connection stays open.
 */
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'
import type { HandOverMessage } from '../../wire/control.ts'
import type { ConnectionOrigin } from '../forward/index.ts'

export interface HandOffTarget {
  readonly name: string
  /** Tag of the worker in session ids. */
  readonly tag: string
  /** Its place among the workers of the host, from 0. */
  readonly slot?: number
  readonly channel: HandOffChannel
}

/** The used part of `cluster.Worker`. */
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
  /** Bytes read from the connection so far. */
  readonly bytes: Buffer
  /** Set if the connection came through another host or a proxy that says whose it is. */
  readonly origin?: ConnectionOrigin | undefined
}

/** A worker's report about a connection that it was sent. */
export interface TakenReport {
  /** Id of the message that carried the connection. */
  readonly id: number
  /** Whether the connection arrived. */
  readonly arrived: boolean
}

export interface HandOffOptions<T extends Flight> {
  /** A connection that was not taken within this time is closed and makes room for another. */
  flightTimeoutMs: number
  now: () => number
  /** The worker has taken it. */
  onTaken(flight: T): void
  /** The worker did not touch it and never will. */
  onReturned(flight: T): void
  /**
   * It did not arrive, or that is unknown; it was closed. The worker may be out of file descriptors, or hang.
   */
  onLost(flight: T): void
}

/** A connection in flight. The id keeps a late report from being taken for another connection. */
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

  /** False from the first sign that the channel is closed; the exit of the worker may be known much later. */
  get isOpen(): boolean {
    return !this.#hasFailed && this.target.channel.isConnected()
  }

  get inFlight(): number {
    return this.#flights.size
  }

  /** When the oldest connection in flight was sent; undefined if there is none. */
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
      ...(flight.origin?.client && { client: flight.origin.client }),
    }
    this.target.channel.send(message, flight.socket, { keepOpen: true }, (error) => {
      if (error === null) return
      this.#hasFailed = true
      if (this.#remove(sent)) this.#options.onReturned(flight)
    })
  }

  /** Ignores reports about connections whose deadline has passed or that were never sent. */
  taken({ id, arrived }: TakenReport): void {
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
   * The worker has exited. Its last messages are still read from the channel. After that it is clear which
   * connections it never took: `done` is called and they are returned.
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

  /** Closes the primary's copies of connections in flight. */
  destroy(): void {
    for (const flight of this.#clear()) flight.socket.destroy()
  }

  #remove(sent: Sent<T>): boolean {
    this.#byId.delete(sent.id)
    return this.#flights.delete(sent)
  }

  /** @returns the connections that were in flight, oldest first */
  #clear(): T[] {
    this.#byId.clear()
    return this.#flights.clear().map(({ flight }) => flight)
  }

  #lose(flight: T): void {
    flight.socket.destroy()
    this.#options.onLost(flight)
  }
}
