/**
 * Builds the timeline's rows: messages grouped by author, day separators, the unread marker, notices. Pure.
 * Unchanged rows keep their identity, so that they are not rendered again.
 */
import type { ChatMessage } from '../../../client/index.ts'
import { dayReader } from './days.ts'
import type { Notice } from './notices.ts'

export type Row =
  | { readonly kind: 'beginning'; readonly key: string; readonly isFirst: boolean }
  | { readonly kind: 'day'; readonly key: string; readonly day: number }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'notice'; readonly key: string; readonly text: string }
  | MessageRow

export interface MessageRow {
  readonly kind: 'message'
  readonly key: string
  readonly message: ChatMessage
  /** Shows the author; the following rows of the group do not. */
  readonly opensGroup: boolean
}

export interface RowsSource {
  readonly messages: readonly ChatMessage[]
  readonly notices: readonly Notice[]
  /** What is shown at the top; undefined while older messages can be fetched. */
  readonly beginning: 'first' | 'cut' | undefined
  /** The messages from this number on are new to the user. */
  readonly unreadFrom: number | undefined
}

const MINUTE_MS = 60_000
const GROUP_MS = 5 * MINUTE_MS
/**
 * In a long group author and time are repeated: each quarter of an hour, and each time that the sequence number passes a
 * multiple of 16, once 8 messages have gone before. Older messages that are loaded later do not change this.
 */
const REPEAT_MS = 15 * MINUTE_MS
const REPEAT_EACH = 16
const REPEAT_AFTER = 8

/** Builds the rows of one timeline and reuses unchanged rows of the previous result. */
export class RowBuilder {
  #messages = new WeakMap<ChatMessage, MessageRow>()
  #others = new Map<string, Row>()

  rowsOf(source: RowsSource): readonly Row[] {
    const others = new Map<string, Row>()
    const put = (row: Row) => {
      const known = this.#others.get(row.key)
      const kept = known !== undefined && isSame(known, row) ? known : row
      others.set(row.key, kept)
      rows.push(kept)
    }
    const rows: Row[] = []
    const { messages, beginning, notices } = source
    if (beginning !== undefined && (messages.length > 0 || notices.length > 0)) {
      put({ kind: 'beginning', key: 'beginning', isFirst: beginning === 'first' })
    }
    const day = dayReader()
    const waiting = notices.toSorted((a, b) => a.after - b.after)
    let unread = source.unreadFrom
    let last: ChatMessage | undefined
    let place = 0
    let run = 0
    for (const message of messages) {
      const { seq = Number.POSITIVE_INFINITY } = message
      const above = rows.length
      for (let next = waiting[0]; next !== undefined && next.after < seq; next = waiting[0]) {
        put(noticeRow(next))
        waiting.shift()
      }
      const today = day(message.at)
      if (last === undefined || day(last.at) !== today) {
        put({ kind: 'day', key: `day ${keyOf(message)}`, day: today })
      }
      if (unread !== undefined && seq >= unread) {
        put({ kind: 'unread', key: 'unread' })
        unread = undefined
      }
      const before = place
      // The number that an unsent message will probably get, so that it does not change its height then.
      place = message.seq ?? place + 1
      const continued = last !== undefined && continues(last, message) ? last : undefined
      run = continued === undefined ? 0 : run + 1
      const isRepeated =
        isNextQuarter(continued, message) || (run >= REPEAT_AFTER && parts(before) !== parts(place))
      const opensGroup = rows.length > above || continued === undefined || isRepeated
      rows.push(this.#messageRow(message, opensGroup))
      last = message
    }
    for (const notice of waiting) put(noticeRow(notice))
    this.#others = others
    return rows
  }

  #messageRow(message: ChatMessage, opensGroup: boolean): MessageRow {
    const known = this.#messages.get(message)
    if (known?.opensGroup === opensGroup) return known
    const row: MessageRow = { kind: 'message', key: known?.key ?? keyOf(message), message, opensGroup }
    this.#messages.set(message, row)
    return row
  }
}

function noticeRow({ id, text }: Notice): Row {
  return { kind: 'notice', key: `notice ${id}`, text }
}

/** Message ids are unique per author only. */
function keyOf({ id, from }: ChatMessage): string {
  return `${from.id} ${id}`
}

function continues(last: ChatMessage, { from, at, seq }: ChatMessage): boolean {
  const isSameAuthor = last.from.id === from.id && last.from.name === from.name
  // Back in time: the server's clock was put right. An unsent message has the time of this device.
  const isNear = at - last.at < GROUP_MS && (last.at - at < GROUP_MS || seq === undefined)
  return isSameAuthor && isNear && !last.removed
}

/** Not for a message that follows at once. */
function isNextQuarter(last: ChatMessage | undefined, { at }: ChatMessage): boolean {
  if (last === undefined || at - last.at < MINUTE_MS) return false
  return Math.floor(last.at / REPEAT_MS) !== Math.floor(at / REPEAT_MS)
}

function parts(place: number): number {
  return Math.floor(place / REPEAT_EACH)
}

/** For two rows with the same key. */
function isSame(a: Row, b: Row): boolean {
  if (a.kind === 'beginning' && b.kind === 'beginning') return a.isFirst === b.isFirst
  if (a.kind === 'notice' && b.kind === 'notice') return a.text === b.text
  return a.kind === b.kind
}

/**
 * Splits an update into steps for the virtual list: changes at the top come first, alone, then the rest.
 * `shift`: keep the scroll position relative to the bottom.
 */
export function updateSteps(
  before: readonly Row[],
  after: readonly Row[],
): { rows: readonly Row[]; shift: boolean }[] {
  const plain = [{ rows: after, shift: false }]
  const end = before.at(-1)
  if (end === undefined || before[0]?.key === after[0]?.key) return plain
  const index = after.findLastIndex(({ key }) => key === end.key)
  if (index === -1) return plain
  const top = { rows: after.slice(0, index + 1), shift: true }
  return index === after.length - 1 ? [top] : [top, ...plain]
}
