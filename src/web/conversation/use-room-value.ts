/** Hooks for the state of a room and of the connection. */
import { useEffect, useState } from 'preact/hooks'
import type { ChatClient, ChatRoom, RoomEvents } from '../../client/index.ts'

/**
 * The value of `read`, updated at these events. `read` and `events` must keep their identity between calls.
 */
export function useRoomValue<T>(
  room: ChatRoom,
  events: readonly (keyof RoomEvents)[],
  read: (room: ChatRoom) => T,
): T {
  const [, setVersion] = useState(0)
  useEffect(() => {
    const rerender = () => setVersion((version) => version + 1)
    const unsubscribes = events.map((event) => room.on(event, rerender))
    rerender()
    return () => {
      for (const unsubscribe of unsubscribes) unsubscribe()
    }
  }, [room, events])
  return read(room)
}

/** Whether messages are sent now. */
export function useIsOnline(chat: ChatClient): boolean {
  const [isOnline, setOnline] = useState(chat.state.state === 'online')
  useEffect(() => {
    setOnline(chat.state.state === 'online')
    return chat.on('state', ({ state }) => setOnline(state === 'online'))
  }, [chat])
  return isOnline
}
