/** Positions of messages among the rows. Pure. */
import type { Author } from '../../../client/index.ts'
import type { MessageRow, Row } from './rows.ts'

export function lastMessage(rows: readonly Row[]): MessageRow | undefined {
  return rows.findLast((row) => row.kind === 'message')
}

export function authorsOf(rows: readonly Row[]): Author[] {
  return rows.flatMap((row) => (row.kind === 'message' ? [row.message.from] : []))
}

/** The row of a message, or of the next one if it is not shown; -1 if there is none. */
export function indexOfSeq(rows: readonly Row[], seq: number): number {
  return rows.findIndex((row) => row.kind === 'message' && (row.message.seq ?? 0) >= seq)
}

/** Sequence number of the first message from this row on; undefined if there is none. */
export function firstSeqFrom(rows: readonly Row[], index: number): number | undefined {
  const row = rows.slice(Math.max(0, index)).find(({ kind }) => kind === 'message')
  return row?.kind === 'message' ? row.message.seq : undefined
}

/** Sequence number of the last message up to this row; 0 if there is none. */
export function lastSeqIn(rows: readonly Row[], index: number): number {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]
    if (row?.kind === 'message' && row.message.seq !== undefined) return row.message.seq
  }
  return 0
}

/** The key of the row that a keyboard key leads to. */
export function messageFrom(rows: readonly Row[], row: Row, key: string): string | undefined {
  const messages = rows.filter(({ kind }) => kind === 'message')
  if (key === 'Home') return messages[0]?.key
  if (key === 'End') return messages.at(-1)?.key
  const index = messages.indexOf(row)
  return messages[key === 'ArrowUp' ? index - 1 : index + 1]?.key
}
