/** Renders any kind of row. */
import type { Author } from '../../../client/index.ts'
import type { MessageActions } from '../message/message-actions.ts'
import { MessageRow } from '../message/message-row.tsx'
import type { ShortIds } from '../same-names.ts'
import type { Readers } from '../sentences.ts'
import { BeginningRow, DayRow, NoticeRow, UnreadRow } from './other-rows.tsx'
import type { Row } from './rows.ts'

interface RowViewProps {
  readonly row: Row
  readonly me: Author
  /** The title above the first message. */
  readonly beginning: string
  readonly now: number
  readonly isActive: boolean
  readonly isFocused: boolean
  /** Of people whose names look alike. */
  readonly shortIds: ShortIds
  readonly readers: Readers | undefined
  readonly isOnline: boolean
  readonly actions: MessageActions
}

export function RowView({ row, beginning, now, shortIds, ...ofMessages }: RowViewProps) {
  switch (row.kind) {
    case 'message':
      return <MessageRow row={row} shortId={shortIds.get(row.message.from.id)} {...ofMessages} />
    case 'day':
      return <DayRow day={row.day} now={now} />
    case 'unread':
      return <UnreadRow />
    case 'notice':
      return <NoticeRow text={row.text} />
    default:
      return <BeginningRow text={beginning} isFirst={row.isFirst} />
  }
}
