/**
 * What stands in the timeline, from top to bottom: messages in groups of one author, day lines, the line above what is new,
 * notices. Pure. A row that is the same as before is the same value, so that what draws it knows.
 */
import type { ChatMessage } from '../../client/index.ts'
import { dayReader } from './days.ts'
import type { Notice } from './notices.ts'

export type Row =
  | { readonly kind: 'beginning'; readonly key: string; readonly isFirst: boolean }
  | { readonly kind: 'day'; readonly key: string; readonly day: number }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'notice'; readonly key: string; readonly words: string }
  | MessageRow

export interface MessageRow {
  readonly kind: 'message'
  readonly key: string
  readonly message: ChatMessage
  /** Shows who wrote it; those below it go on. */
  readonly opensGroup: boolean
}

export interface RowsSource {
  readonly messages: readonly ChatMessage[]
  readonly notices: readonly Notice[]
  /** What stands above all; nothing while there is older to be fetched. */
  readonly beginning: 'first' | 'cut' | undefined
  /** All from this number on is new to the user. */
  readonly unreadFrom: number | undefined
}

const GROUP_MS = 5 * 60_000

/** @param before the rows until now */
export function rowsOf(source: RowsSource, before: readonly Row[] = []): readonly Row[] {
  const rows: Row[] = []
  const known = new Map(before.map((row) => [row.key, row]))
  const put = (row: Row) => rows.push(sameOr(known.get(row.key), row))
  const { messages, beginning } = source
  if (beginning !== undefined && (messages.length > 0 || source.notices.length > 0)) {
    put({ kind: 'beginning', key: 'beginning', isFirst: beginning === 'first' })
  }
  const day = dayReader()
  const notices = source.notices.toSorted((a, b) => a.after - b.after)
  let next = 0
  let last: ChatMessage | undefined
  let unread = source.unreadFrom
  for (const message of messages) {
    const seq = message.seq ?? Number.POSITIVE_INFINITY
    const opening = rows.length
    for (let notice = notices[next]; notice !== undefined && notice.after < seq; notice = notices[next]) {
      put({ kind: 'notice', key: `notice ${notice.id}`, words: notice.words })
      next += 1
    }
    const today = day(message.at)
    if (last === undefined || day(last.at) !== today) put({ kind: 'day', key: `day ${today}`, day: today })
    if (unread !== undefined && seq >= unread) {
      put({ kind: 'unread', key: 'unread' })
      unread = undefined
    }
    put({
      kind: 'message',
      key: keyOf(message),
      message,
      opensGroup: rows.length > opening || last === undefined || !continues(last, message),
    })
    last = message
  }
  for (const { id, words } of notices.slice(next)) put({ kind: 'notice', key: `notice ${id}`, words })
  return rows
}

/** Ids are unique for each author. */
export function keyOf({ id, from }: ChatMessage): string {
  return `${from.id} ${id}`
}

function continues(last: ChatMessage, { from, at }: ChatMessage): boolean {
  return last.from.id === from.id && last.from.name === from.name && at - last.at < GROUP_MS && !last.removed
}

function sameOr(before: Row | undefined, row: Row): Row {
  if (before === undefined || before.kind !== row.kind) return row
  if (before.kind === 'message' && row.kind === 'message') {
    return before.message === row.message && before.opensGroup === row.opensGroup ? before : row
  }
  if (before.kind === 'notice' && row.kind === 'notice') return before.words === row.words ? before : row
  if (before.kind === 'beginning' && row.kind === 'beginning') {
    return before.isFirst === row.isFirst ? before : row
  }
  return before
}

/**
 * The way from some rows to others as a virtual list wants it told: what changes at the top first, alone, then the rest.
 * `shift`: the place of what is read is kept from the bottom.
 */
export function stepsTo(
  before: readonly Row[],
  after: readonly Row[],
): { rows: readonly Row[]; shift: boolean }[] {
  const plain = [{ rows: after, shift: false }]
  const end = before.at(-1)
  if (end === undefined || before[0]?.key === after[0]?.key) return plain
  const place = after.findLastIndex(({ key }) => key === end.key)
  if (place === -1) return plain
  const top = { rows: after.slice(0, place + 1), shift: true }
  return place === after.length - 1 ? [top] : [top, ...plain]
}
