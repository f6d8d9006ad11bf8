/** Rerenders a component at the given events of a room. */
import { useEffect, useReducer } from 'preact/hooks'
import type { ChatRoom } from '../../client/index.ts'

type RoomEvent = 'presence' | 'state' | 'doubt'

export function useRoomUpdates(room: ChatRoom | undefined, ...events: readonly RoomEvent[]): void {
  const [, rerender] = useReducer((count: number) => count + 1, 0)
  const watched = events.join(' ')
  useEffect(() => {
    if (room === undefined) return undefined
    const names = watched.split(' ') as RoomEvent[]
    const stops = names.map((name) => room.on(name, () => rerender(undefined)))
    // Catches events between the render and the subscription.
    rerender(undefined)
    return () => stops.forEach((stop) => stop())
  }, [room, watched])
}
