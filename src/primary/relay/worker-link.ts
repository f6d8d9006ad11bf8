/**
 * The primary's end of one worker's link: bytes to frames and back. Knows no other worker. A malformed frame
 * ends the link.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { FrameReader } from '../../core/byte-frames.ts'
import { FrameError } from '../../core/byte-frames.ts'
import { CorkedWriter } from '../../core/corked-writer.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { FramePriority } from '../../core/outbox.ts'
import { Outbox } from '../../core/outbox.ts'
import type { PresenceChange } from '../../wire/app.ts'
import type { WorkerFrame } from '../../wire/frames.ts'
import { eventFrame } from '../../wire/frames.ts'
import { decodeWorkerFrame } from '../../wire/frames-decode.ts'
import { PendingCalls } from '../../wire/pending-calls.ts'
import type { RelayLimits } from './limits.ts'
import { MissedUpdates } from './missed-updates.ts'

/** Shortest time between log lines about dropped frames. */
const DROP_LOG_MS = 5_000

export type LinkEnd = 'closed' | 'failed' | 'malformed' | 'overflow' | 'removed'

/** A room update of the primary, sent to every subscribed worker. */
export interface Announcement {
  topic: string
  room: string
  frame: Buffer
  /** Absent for a log entry, which can be read from the log. */
  presence?: PresenceChange
}

export interface WorkerLinkEvents {
  frame(link: WorkerLink, frame: WorkerFrame): void
  dropped(priority: FramePriority): void
  /** Called once, after the last frame. */
  ended(link: WorkerLink, reason: LinkEnd): void
}

export interface WorkerLinkOptions {
  worker: string
  socket: Socket
  /** Has read the hello; holds the bytes after it. */
  reader: FrameReader
  limits: RelayLimits
  logger: Logger
  events: WorkerLinkEvents
}

export class WorkerLink {
  readonly worker: string
  readonly calls: PendingCalls
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #outbox: Outbox
  readonly #logger: Logger
  readonly #events: WorkerLinkEvents
  readonly #drainMs: number
  readonly #missed = new MissedUpdates()
  #passed = 0
  #reason: LinkEnd = 'closed'
  #drainTimer: NodeJS.Timeout | undefined

  constructor({ worker, socket, reader, limits, logger, events }: WorkerLinkOptions) {
    this.worker = worker
    this.calls = new PendingCalls(limits.maxOpenCalls)
    this.#socket = socket
    this.#reader = reader
    this.#logger = logger.child({ worker })
    this.#events = events
    this.#drainMs = limits.drainMs
    this.#outbox = this.#makeOutbox(limits)
    reader.maxFrameBytes = limits.maxFrameBytes
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    // Everything was sent. Reports missed updates also if no later frame follows.
    socket.on('drain', () => this.#sendMissed())
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => this.#closed())
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes
  }

  /** Publications, log entries and events that were passed to it. */
  get passed(): number {
    return this.#passed
  }

  /** Rooms with missed updates that the worker has not been told about yet. */
  get missedRooms(): number {
    return this.#missed.size
  }

  /** @returns whether the frame was accepted */
  offer(frame: Buffer, priority: FramePriority): boolean {
    this.#sendMissed()
    const offered = this.#outbox.offer(frame, priority, priority === 'control' ? 'turn' : 'gather')
    if (offered && priority !== 'control') this.#passed += 1
    return offered
  }

  /** Dropped updates are reported as soon as the worker keeps up again. */
  announce({ topic, room, frame, presence }: Announcement): void {
    this.#sendMissed()
    if (presence === undefined) {
      if (!this.offer(frame, 'publication')) this.#missed.entry(topic, room)
    } else if (this.#missed.hasPresence(topic) || !this.offer(frame, 'publication')) {
      this.#missed.presence(topic, room, presence)
    }
  }

  /** The worker has unsubscribed from the topic. */
  forgetTopic(topic: string): void {
    this.#missed.forget(topic)
  }

  read(chunk: Buffer): void {
    if (this.#socket.destroyed) return
    try {
      for (const bytes of this.#reader.push(chunk)) {
        if (this.#socket.destroyed) return
        this.#events.frame(this, decodeWorkerFrame(bytes))
      }
    } catch (error) {
      this.#unreadable(error)
    }
  }

  end(reason: LinkEnd): void {
    if (this.#socket.destroyed) return
    this.#reason = reason
    this.#socket.destroy()
  }

  /** The worker process has exited: reads what it had written, then ends. */
  drain(): void {
    this.#reason = 'removed'
    this.#drainTimer ??= setTimeout(() => this.end('removed'), this.#drainMs)
  }

  #sendMissed(): void {
    if (this.#missed.size === 0 || !this.#outbox.keepsUp) return
    for (const event of this.#missed.take()) this.#outbox.offer(eventFrame(event), 'control')
  }

  #makeOutbox(limits: RelayLimits): Outbox {
    const throttle = new LogThrottle(DROP_LOG_MS)
    return new Outbox(new CorkedWriter(this.#socket), limits, {
      dropped: (priority, bytes) => {
        this.#events.dropped(priority)
        throttle.run((heldBack) =>
          this.#logger.warn(
            { priority, bytes, heldBack },
            'a worker does not keep up: dropped a message to it',
          ),
        )
      },
      overflowed: (queuedBytes) => {
        this.#logger.error({ queuedBytes }, 'a worker does not read its link: closing it')
        this.end('overflow')
      },
    })
  }

  #unreadable(error: unknown): void {
    if (!(error instanceof FrameError)) {
      this.#logger.error({ err: error }, 'a frame from a worker could not be handled: closing its link')
      return this.end('failed')
    }
    this.#logger.error({ reason: error.message }, 'a worker sent a malformed frame: closing its link')
    this.end('malformed')
  }

  #failed(error: Error): void {
    this.#logger.debug({ err: error }, 'the link of a worker failed')
    if (this.#reason === 'closed') this.#reason = 'failed'
  }

  #closed(): void {
    clearTimeout(this.#drainTimer)
    this.calls.rejectAll('the worker is gone')
    this.#events.ended(this, this.#reason)
  }
}
