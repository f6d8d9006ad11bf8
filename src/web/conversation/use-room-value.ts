/** A room's events, and the connection's, as state of a component. */
import { useEffect, useState } from 'preact/hooks'
import type { ChatClient, ChatRoom, RoomEvents } from '../../client/index.ts'

/** What `read` gives, read anew at each of these events. `read` and `events` must not change from call to call. */
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

/** Whether what is sent goes out now. */
export function useIsOnline(chat: ChatClient): boolean {
  const [isOnline, setOnline] = useState(chat.state.state === 'online')
  useEffect(() => {
    setOnline(chat.state.state === 'online')
    return chat.on('state', ({ state }) => setOnline(state === 'online'))
  }, [chat])
  return isOnline
}
