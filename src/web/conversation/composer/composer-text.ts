/** The composer's text: the room's draft, or the message being edited. The draft returns after the edit. */
import { useCallback, useLayoutEffect, useState } from 'preact/hooks'
import type { ChatMessage, ChatRoom } from '../../../client/index.ts'
import { draftOf, keepDraft } from './drafts.ts'

export interface ComposerText {
  readonly text: string
  readonly set: (text: string) => void
}

export function useComposerText(room: ChatRoom, editing: ChatMessage | undefined): ComposerText {
  const [text, setText] = useState(() => draftOf(room.name))
  const editedId = editing?.id
  useLayoutEffect(() => {
    setText(editing === undefined ? draftOf(room.name) : (editing.text ?? ''))
  }, [room, editedId])
  const set = useCallback(
    (next: string) => {
      setText(next)
      if (editedId === undefined) {
        keepDraft(room.name, next)
        room.typing(next.trim() !== '')
      }
    },
    [room, editedId],
  )
  return { text, set }
}
