/**
 * What is shown of a room: its texts in order with their edits and removals applied, each a value that is replaced when it
 * changes, never altered. Pure. What waits to be sent is not here; the room puts it behind.
 */
import type { Author } from '../../wire/entry.ts'
import type { Entry } from '../connection/guards.ts'
import type { ChatError } from '../errors.ts'

export interface Failure {
  readonly code: ChatError['code']
  readonly message: string
  /** The same may succeed later without being changed. */
  readonly retryable: boolean
  /** Puts it at the end of what waits to be sent. */
  retry(): void
  /** Forgets it. */
  discard(): void
}

/** An edit or a removal of one's own that has not come back from the log yet. */
export interface PendingChange {
  readonly kind: 'edit' | 'remove'
  readonly text?: string
  readonly state: 'pending' | 'sent' | 'failed'
  readonly failure?: Failure
}

export interface ChatMessage {
  /** As its author's client made it; unique per author. */
  readonly id: string
  /** Its place in the log, as soon as it is known. */
  readonly seq?: number
  readonly from: Author
  /** Absent when it has been removed. */
  readonly text?: string
  /** Unix milliseconds: the log's clock, or this machine's while it is pending. */
  readonly at: number
  readonly edited: boolean
  readonly removed: boolean
  readonly state: 'pending' | 'sent' | 'failed'
  /** Why, when `state` is `failed`. */
  readonly failure?: Failure
  readonly change?: PendingChange
}

export type LoggedMessage = ChatMessage & { readonly seq: number }

export class MessageList {
  #texts: LoggedMessage[] = []

  get texts(): readonly LoggedMessage[] {
    return this.#texts
  }

  find(seq: number): LoggedMessage | undefined {
    return this.#texts[this.#indexOf(seq)]
  }

  /** The texts behind this number. */
  after(seq: number): readonly LoggedMessage[] {
    const last = this.#texts.findLastIndex((text) => text.seq <= seq)
    return this.#texts.slice(last + 1)
  }

  /** @returns the message, when the entry is a text */
  add(entry: Entry): LoggedMessage | undefined {
    if (entry.kind === 'text') return this.#addText(entry)
    if (entry.target === undefined) return undefined
    const index = this.#indexOf(entry.target)
    const target = this.#texts[index]
    if (target === undefined || target.from.id !== entry.from.id || target.removed) return undefined
    if (entry.kind === 'remove') {
      const { text: _removed, ...rest } = target
      this.#texts[index] = { ...rest, removed: true }
    }
    if (entry.kind === 'edit' && entry.text !== undefined) {
      this.#texts[index] = { ...target, text: entry.text, edited: true }
    }
    return undefined
  }

  /** From now on only entries from this number on are shown. */
  dropBefore(seq: number): void {
    const kept = this.#texts.findIndex((text) => text.seq >= seq)
    if (kept !== 0) this.#texts.splice(0, kept === -1 ? this.#texts.length : kept)
  }

  /** Shows exactly these. */
  rebuild(entries: readonly Entry[]): void {
    const known = new Map(this.#texts.map((text) => [text.seq, text]))
    this.#texts = []
    for (const entry of entries) this.add(entry)
    // What has not changed stays the same value.
    this.#texts = this.#texts.map((text) => {
      const before = known.get(text.seq)
      return before !== undefined && isSameMessage(before, text) ? before : text
    })
  }

  #addText(entry: Entry): LoggedMessage {
    const { id, seq, from, text, at } = entry
    const message: LoggedMessage = {
      id,
      seq,
      from,
      at,
      edited: false,
      removed: text === undefined,
      state: 'sent',
      ...(text === undefined ? {} : { text }),
    }
    this.#texts.push(message)
    return message
  }

  /** -1 when it is not shown. */
  #indexOf(seq: number): number {
    let low = 0
    let high = this.#texts.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#texts[middle]?.seq ?? 0
      if (found === seq) return middle
      if (found < seq) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}

function isSameMessage(a: LoggedMessage, b: LoggedMessage): boolean {
  return a.id === b.id && a.text === b.text && a.edited === b.edited && a.removed === b.removed
}
