/**
 * Rooms that were empty when the user last looked: everything in them is new, which a read marker can't
 * express.
 */
import { useEffect } from 'preact/hooks'
import type { ChatRoom } from '../../client/index.ts'
import { isPageFocused } from './page-focus.ts'

const left = new WeakSet<ChatRoom>()

export function wasLeftEmpty(room: ChatRoom): boolean {
  return left.has(room)
}

/** For the view of an empty room. */
export function useLeavingEmpty(room: ChatRoom): void {
  useEffect(
    () => () => {
      if (room.messages.length === 0 || !isPageFocused()) left.add(room)
    },
    [room],
  )
}
