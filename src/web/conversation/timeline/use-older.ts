/** Loads what is older than the messages shown, one page at a time. */
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
  /** Has it drawn before anything else can move. */
  readonly loaded: () => void
}

export function useOlder({ chat, room, loaded }: OlderOptions): Older {
  const [state, setState] = useState<Older['state']>('idle')
  const isOnline = useIsOnline(chat)

  // What failed before there was a connection again is no failure any more: it is asked for anew where it is still wanted.
  useEffect(() => {
    if (isOnline) setState((before) => (before === 'failed' ? 'idle' : before))
  }, [isOnline])

  const load = useCallback(async () => {
    if (!room.hasOlder) return
    setState('loading')
    try {
      // As many as there may be: whoever reads far back waits for a page, and for the list to be laid out, half as often.
      await room.loadOlder(chat.limits?.historyMax)
      loaded()
      setState('idle')
    } catch {
      // Whatever the reason is: the row says that it failed and offers another try.
      setState('failed')
    }
  }, [chat, room, loaded])
  return useMemo(() => ({ state, load: () => void load() }), [state, load])
}
