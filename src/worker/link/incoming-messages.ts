/**
 * Messages from other workers that arrive in parts, at most one from each worker at a time. Bounded in bytes:
 * past the bound a message is dropped whole. No I/O.
 */
import { FrameError } from '../../core/byte-frames.ts'

export interface Message {
  from: string
  grants: readonly string[]
  body: Buffer
}

interface Incomplete {
  grants: readonly string[]
  body: Buffer
  /** Bytes that have arrived. */
  arrived: number
}

export interface IncomingMessagesEvents {
  /** It will not be handled: its grants are not needed any more. */
  dropped(grants: readonly string[]): void
}

export class IncomingMessages {
  readonly #incomplete = new Map<string, Incomplete>()
  readonly #maxBytes: number
  readonly #events: IncomingMessagesEvents
  #bytes = 0

  /** @param maxBytes of all incomplete messages together */
  constructor(maxBytes: number, events: IncomingMessagesEvents) {
    this.#maxBytes = maxBytes
    this.#events = events
  }

  /** Bytes that are reserved for incomplete messages. */
  get bytes(): number {
    return this.#bytes
  }

  /** @returns the message, when nothing of it is to follow */
  begin({ rest, ...message }: Message & { rest: number }): Message | undefined {
    const { from, grants, body } = message
    this.abandon(from)
    if (rest === 0) return message
    const total = body.length + rest
    if (this.#bytes + total > this.#maxBytes) {
      this.#events.dropped(grants)
      return undefined
    }
    const incomplete = { grants, body: Buffer.allocUnsafe(total), arrived: body.length }
    body.copy(incomplete.body)
    this.#incomplete.set(from, incomplete)
    this.#bytes += total
    return undefined
  }

  /** @returns the message, when this was its last part. Ignores parts of a message that was dropped. */
  add(from: string, part: Buffer): Message | undefined {
    const incomplete = this.#incomplete.get(from)
    if (incomplete === undefined) return undefined
    const { grants, body, arrived } = incomplete
    if (arrived + part.length > body.length) throw new FrameError('more parts than announced')
    part.copy(body, arrived)
    incomplete.arrived += part.length
    if (incomplete.arrived < body.length) return undefined
    this.#remove(from, incomplete)
    return { from, grants, body }
  }

  /** The rest does not come. */
  abandon(from: string): void {
    const incomplete = this.#incomplete.get(from)
    if (incomplete === undefined) return
    this.#remove(from, incomplete)
    this.#events.dropped(incomplete.grants)
  }

  #remove(from: string, { body }: Incomplete): void {
    this.#incomplete.delete(from)
    this.#bytes -= body.length
  }
}
