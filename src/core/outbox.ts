/**
 * The unsent bytes of one side of a link, and the policy for a receiver that can't keep up: past `softBytes`
 * volatile frames are dropped, past `hardBytes` all publications. Later parts of a publication that was accepted
 * have a bound of their own, so that it arrives whole. Control frames are never dropped; past `closeBytes` the
 * link has to be closed.
 */

import type { FlushTiming } from './corked-writer.ts'

export type FramePriority = 'volatile' | 'publication' | 'part' | 'control'

export interface OutboxLimits {
  softBytes: number
  hardBytes: number
  /** For later parts of a publication that was accepted. */
  restBytes: number
  closeBytes: number
}

export interface OutboxWriter {
  readonly queuedBytes: number
  write(bytes: Buffer, timing?: FlushTiming): void
}

export interface OutboxEvents {
  dropped(priority: FramePriority, bytes: number): void
  /** Called once. */
  overflowed(queuedBytes: number): void
}

export class Outbox {
  readonly #writer: OutboxWriter
  readonly #limits: OutboxLimits
  readonly #events: OutboxEvents
  #overflowed = false

  constructor(writer: OutboxWriter, limits: OutboxLimits, events: OutboxEvents) {
    this.#writer = writer
    this.#limits = limits
    this.#events = events
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  /** Whether the receiver keeps up: nothing would be dropped now. */
  get keepsUp(): boolean {
    return !this.#overflowed && this.#writer.queuedBytes <= this.#limits.softBytes
  }

  /** @returns false when the frame was dropped */
  offer(frame: Buffer, priority: FramePriority, timing: FlushTiming = 'turn'): boolean {
    return this.offerAll([frame], priority, timing)
  }

  /** All of the frames or none. @returns false when they were dropped */
  offerAll(frames: readonly Buffer[], priority: FramePriority, timing: FlushTiming = 'turn'): boolean {
    if (this.#overflowed) return false
    if (this.#writer.queuedBytes > this.#bound(priority)) {
      this.#events.dropped(
        priority,
        frames.reduce((sum, { length }) => sum + length, 0),
      )
      if (priority === 'control') this.#overflow()
      return false
    }
    for (const frame of frames) this.#writer.write(frame, timing)
    return true
  }

  #bound(priority: FramePriority): number {
    if (priority === 'volatile') return this.#limits.softBytes
    if (priority === 'publication') return this.#limits.hardBytes
    return priority === 'part' ? this.#limits.restBytes : this.#limits.closeBytes
  }

  #overflow(): void {
    this.#overflowed = true
    this.#events.overflowed(this.#writer.queuedBytes)
  }
}
