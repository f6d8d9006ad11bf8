/**
 * Rooms in which nothing had been said when the user looked away: all that has been said since is new to them, which no read
 * mark can tell, as there was nothing to be read.
 */
import { useEffect } from 'preact/hooks'
import type { ChatRoom } from '../../client/index.ts'
import { isPageFocused } from './attention.ts'

const left = new WeakSet<ChatRoom>()

export function wasLeftEmpty(room: ChatRoom): boolean {
  return left.has(room)
}

/** For what shows a room that is empty. */
export function useLeavingEmpty(room: ChatRoom): void {
  useEffect(
    () => () => {
      if (room.messages.length === 0 || !isPageFocused()) left.add(room)
    },
    [room],
  )
}
