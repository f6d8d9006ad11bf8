/** Loads what is older than the messages shown, one page at a time. */
import { useCallback, useMemo, useState } from 'preact/hooks'
import type { ChatRoom } from '../../client/index.ts'

export interface Older {
  readonly state: 'idle' | 'loading' | 'failed'
  readonly load: () => void
}

/** @param loaded has it drawn before anything else can move */
export function useOlder(room: ChatRoom, loaded: () => void): Older {
  const [state, setState] = useState<Older['state']>('idle')
  const load = useCallback(async () => {
    if (!room.hasOlder) return
    setState('loading')
    try {
      await room.loadOlder()
      loaded()
      setState('idle')
    } catch {
      // Whatever the reason is: the row says that it failed and offers another try.
      setState('failed')
    }
  }, [room, loaded])
  return useMemo(() => ({ state, load: () => void load() }), [state, load])
}
