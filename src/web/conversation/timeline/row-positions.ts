/** Where messages stand among the rows. Pure. */
import type { MessageRow, Row } from './rows.ts'

export function lastMessage(rows: readonly Row[]): MessageRow | undefined {
  return rows.findLast((row) => row.kind === 'message')
}

/** The number of the last message down to this row; 0 when there is none. */
export function lastSeqIn(rows: readonly Row[], index: number): number {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]
    if (row?.kind === 'message' && row.message.seq !== undefined) return row.message.seq
  }
  return 0
}

/** The message that a key leads to from this one. */
export function messageFrom(rows: readonly Row[], row: Row, key: string): string | undefined {
  const messages = rows.filter(({ kind }) => kind === 'message')
  if (key === 'Home') return messages[0]?.key
  if (key === 'End') return messages.at(-1)?.key
  const index = messages.indexOf(row)
  return messages[key === 'ArrowUp' ? index - 1 : index + 1]?.key
}
