/** Loads older messages, one page at a time. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { ChatClient, ChatRoom } from '../../../client/index.ts'
import { useIsOnline } from '../use-room-value.ts'

export interface Older {
  readonly state: 'idle' | 'loading' | 'failed'
  readonly load: () => void
}

interface OlderOptions {
  readonly chat: ChatClient
  readonly room: ChatRoom
  /** Called right after loading, to render at once. */
  readonly loaded: () => void
}

export function useOlder({ chat, room, loaded }: OlderOptions): Older {
  const [state, setState] = useState<Older['state']>('idle')
  const isOnline = useIsOnline(chat)

  // A failure while offline is cleared after the reconnect: loading starts again if it is still needed.
  useEffect(() => {
    if (isOnline) setState((before) => (before === 'failed' ? 'idle' : before))
  }, [isOnline])

  const load = useCallback(async () => {
    if (!room.hasOlder) return
    setState('loading')
    try {
      // The largest page: fewer requests and fewer layouts while scrolling far back.
      await room.loadOlder(chat.limits?.historyMax)
      loaded()
      setState('idle')
    } catch {
      // For any error the row shows the failure and a retry button.
      setState('failed')
    }
  }, [chat, room, loaded])
  return useMemo(() => ({ state, load: () => void load() }), [state, load])
}
