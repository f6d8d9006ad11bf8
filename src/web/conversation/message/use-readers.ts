/** Who has read the user's own last message. */
import type { ChatRoom } from '../../../client/index.ts'
import { type Readers, readersOf } from '../sentences.ts'
import type { MessageRow, Row } from '../timeline/rows.ts'
import { useRoomValue } from '../use-room-value.ts'

const READING = ['read', 'presence'] as const

/** @returns the key of the message's row, also while it is being sent, and its readers */
export function useReaders(
  room: ChatRoom,
  me: string,
  rows: readonly Row[],
): { key: string | undefined; readers: Readers } {
  const [reads, members] = useRoomValue(room, READING, (known) => [known.reads, known.members.list] as const)
  const own = rows.findLast(
    (row): row is MessageRow => row.kind === 'message' && row.message.from.id === me && !row.message.removed,
  )
  if (own?.message.seq === undefined) return { key: own?.key, readers: { users: [], count: 0 } }
  const others = new Map([...reads].filter(([id]) => id !== me))
  return { key: own.key, readers: readersOf(others, own.message.seq, members) }
}
