/** Draws again what shows a room, when something of it that matters there changes. */
import { useEffect, useReducer } from 'preact/hooks'
import type { ChatRoom } from '../../client/index.ts'

type Happening = 'presence' | 'state' | 'doubt'

export function useRoom(room: ChatRoom | undefined, ...happenings: readonly Happening[]): void {
  const [, drawAgain] = useReducer((count: number) => count + 1, 0)
  const watched = happenings.join(' ')
  useEffect(() => {
    if (room === undefined) return undefined
    const names = watched.split(' ') as Happening[]
    const stops = names.map((name) => room.on(name, () => drawAgain(undefined)))
    // What happened between drawing and watching.
    drawAgain(undefined)
    return () => stops.forEach((stop) => stop())
  }, [room, watched])
}
