/**
 * The byte stream of a worker's link: connects, splits incoming bytes into frames, limits unsent bytes. Bytes
 * that are not a frame end the link. It does not know what frames mean.
 */

import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Logger } from 'pino'
import { FrameReader } from '../../core/byte-frames.ts'
import type { FlushTiming } from '../../core/corked-writer.ts'
import { CorkedWriter } from '../../core/corked-writer.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { FramePriority } from '../../core/outbox.ts'
import { Outbox } from '../../core/outbox.ts'
import { withShortPath } from '../../core/socket-path.ts'
import type { PrimaryFrame } from '../../wire/frames.ts'
import { decodePrimaryFrame } from '../../wire/frames-decode.ts'
import type { LinkLimits } from './limits.ts'

/** The primary adds fields to a publication, so an incoming frame may be longer than any that was sent. */
const ADDED_BYTES = 1024 * 1024
/** Least time between two log lines about dropped frames. */
const DROP_LOG_MS = 5_000

export interface LinkStreamEvents {
  frame(frame: PrimaryFrame): void
  dropped(): void
  malformed(): void
  /** Called once, after the last frame. */
  closed(): void
}

export interface LinkStreamOptions {
  path: string
  limits: LinkLimits
  logger: Logger
  events: LinkStreamEvents
}

export class LinkStream {
  readonly #socket: Socket
  readonly #writer: CorkedWriter
  readonly #outbox: Outbox
  readonly #reader: FrameReader
  readonly #logger: Logger
  readonly #events: LinkStreamEvents
  readonly #limits: LinkLimits

  constructor({ path, limits, logger, events }: LinkStreamOptions) {
    this.#limits = limits
    this.#logger = logger
    this.#events = events
    this.#reader = new FrameReader(limits.maxFrameBytes + ADDED_BYTES)
    this.#socket = withShortPath(path, (short) => connect(short))
    this.#writer = new CorkedWriter(this.#socket)
    this.#outbox = this.#makeOutbox(limits)
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', (error) => logger.error({ err: error }, 'the link to the primary failed'))
    this.#socket.on('close', () => events.closed())
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  get open(): boolean {
    return this.#socket.writable
  }

  /** @returns false when the frame was dropped */
  offer(frame: Buffer, priority: FramePriority, timing: FlushTiming = 'turn'): boolean {
    return this.open && this.#outbox.offer(frame, priority, timing)
  }

  /** All of the frames or none. @returns false when they were dropped */
  offerAll(frames: readonly Buffer[], priority: FramePriority, timing: FlushTiming): boolean {
    return this.open && this.#outbox.offerAll(frames, priority, timing)
  }

  /** Closes the link when everything is sent, or after `closeTimeoutMs`. */
  async end(): Promise<void> {
    if (this.#socket.closed) return
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#writer.flush()
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), this.#limits.closeTimeoutMs)
    await closed
    clearTimeout(timer)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#socket.destroyed) return
    try {
      for (const bytes of this.#reader.push(chunk)) {
        if (this.#socket.destroyed) return
        this.#events.frame(decodePrimaryFrame(bytes))
      }
    } catch (error) {
      this.#onBadFrame(error)
    }
  }

  #onBadFrame(error: unknown): void {
    this.#events.malformed()
    this.#logger.error({ err: error }, 'a frame from the primary could not be handled: closing the link')
    this.#socket.destroy()
  }

  #makeOutbox(limits: LinkLimits): Outbox {
    const throttle = new LogThrottle(DROP_LOG_MS)
    return new Outbox(this.#writer, limits, {
      dropped: (priority, bytes) => {
        this.#events.dropped()
        throttle.run((heldBack) =>
          this.#logger.warn(
            { priority, bytes, heldBack },
            'the primary does not keep up: a frame to it was dropped',
          ),
        )
      },
      overflowed: (queuedBytes) => {
        this.#logger.error({ queuedBytes }, 'the primary does not read the link: closing it')
        this.#socket.destroy()
      },
    })
  }
}
