/** The room-log contract as a simple model: arrays in memory, no batches, no disk. Logs are compared with it. */
import type { AnyDraft, ReadRange } from '../../src/log/room-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import type { ErrorCode } from '../../src/wire/errors.ts'

type Outcome<T> = { ok: T } | { refused: ErrorCode }

export class LogModel {
  readonly #keep: number
  readonly #rooms = new Map<string, LogEntry[]>()
  /** The text sent under an id, before any blanking. */
  readonly #said = new Map<string, { seq: number; draft: string }>()
  readonly #marks = new Map<string, Map<string, number>>()

  constructor(keep: number) {
    this.#keep = keep
  }

  append(room: string, draft: AnyDraft): Outcome<{ seq: number; duplicate: boolean }> {
    const idKey = JSON.stringify([room, draft.from.id, draft.id])
    const content = JSON.stringify({ ...draft, from: null })
    const known = this.#said.get(idKey)
    if (known !== undefined && known.seq >= this.first(room)) {
      if (known.draft !== content) return { refused: 'conflict' }
      if (draft.kind === 'text') this.#markOwn(room, draft.from.id, known.seq)
      return { ok: { seq: known.seq, duplicate: true } }
    }
    const { target } = draft
    const refusal = target === undefined ? null : this.#refusal(room, draft.from.id, target)
    if (refusal !== null) return { refused: refusal }
    const all = this.#all(room)
    const seq = all.length + 1
    all.push({ room, seq, at: 0, ...draft })
    this.#said.set(idKey, { seq, draft: content })
    if (draft.kind === 'remove' && target !== undefined) this.#blank(room, target)
    if (draft.kind === 'text') this.#markOwn(room, draft.from.id, seq)
    return { ok: { seq, duplicate: false } }
  }

  head(room: string): number {
    return this.#all(room).length
  }

  first(room: string): number {
    return Math.max(1, this.head(room) - this.#keep + 1)
  }

  page(room: string, range: ReadRange): { entries: LogEntry[]; more: boolean } {
    const kept = this.#kept(room)
    const wanted = kept.filter(({ seq }) =>
      'after' in range ? seq > range.after : 'before' in range ? seq < range.before : true,
    )
    const entries = 'after' in range ? wanted.slice(0, range.limit) : wanted.slice(-range.limit)
    return { entries, more: entries.length < wanted.length }
  }

  track(userId: string, room: string): void {
    const marks = this.#marksOf(userId)
    if (!marks.has(room)) marks.set(room, this.head(room))
  }

  forget(userId: string, room: string): void {
    this.#marksOf(userId).delete(room)
  }

  mark(userId: string, room: string, seq: number): Outcome<number> {
    const marks = this.#marksOf(userId)
    const read = marks.get(room)
    if (read === undefined) return { refused: 'not_joined' }
    marks.set(room, Math.max(read, Math.min(seq, this.head(room))))
    return { ok: marks.get(room) ?? 0 }
  }

  userRooms(userId: string): { room: string; head: number; read: number; unread: number }[] {
    const marks = [...this.#marksOf(userId)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return marks.map(([room, read]) => {
      const unread = this.#kept(room).filter(
        ({ kind, seq, text }) => kind === 'text' && text !== undefined && seq > read,
      )
      return { room, head: this.head(room), read, unread: unread.length }
    })
  }

  #all(room: string): LogEntry[] {
    const known = this.#rooms.get(room) ?? []
    this.#rooms.set(room, known)
    return known
  }

  #kept(room: string): LogEntry[] {
    return this.#all(room).slice(this.first(room) - 1)
  }

  #marksOf(userId: string): Map<string, number> {
    const known = this.#marks.get(userId) ?? new Map<string, number>()
    this.#marks.set(userId, known)
    return known
  }

  #markOwn(room: string, userId: string, seq: number): void {
    const marks = this.#marksOf(userId)
    const read = marks.get(room)
    if (read !== undefined) marks.set(room, Math.max(read, seq))
  }

  #refusal(room: string, userId: string, targetSeq: number): ErrorCode | null {
    const target = this.#kept(room).find(({ seq }) => seq === targetSeq)
    if (target === undefined) return 'not_found'
    if (target.kind !== 'text' || target.from.id !== userId) return 'forbidden'
    return target.text === undefined ? 'not_found' : null
  }

  #blank(room: string, target: number): void {
    for (const entry of this.#all(room)) {
      if (entry.seq === target || (entry.kind === 'edit' && entry.target === target)) delete entry.text
    }
  }
}
