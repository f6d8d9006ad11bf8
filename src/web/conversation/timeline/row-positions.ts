/** Positions of messages among the rows. Pure. */
import type { MessageRow, Row } from './rows.ts'

export function lastMessage(rows: readonly Row[]): MessageRow | undefined {
  return rows.findLast((row) => row.kind === 'message')
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
