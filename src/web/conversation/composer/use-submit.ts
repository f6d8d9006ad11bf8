/** Sends a message or saves an edit, and keeps the error if that fails. */
import { useState } from 'preact/hooks'
import type { ChatMessage, ChatRoom } from '../../../client/index.ts'

interface SubmitOptions {
  readonly room: ChatRoom
  readonly editing: ChatMessage | undefined
  readonly text: string
  /** The error if the text is too long. */
  readonly tooLong: string | undefined
  readonly sent: () => void
  readonly edited: (outcome: 'done' | 'emptied') => void
}

export interface Submit {
  /** Error message; empty if there is none. */
  readonly problem: string
  readonly setProblem: (problem: string) => void
  readonly submit: () => void
}

export function useSubmit({ room, editing, text, tooLong, sent, edited }: SubmitOptions): Submit {
  const [problem, setProblem] = useState('')

  /** @returns whether it succeeded */
  const attempt = (act: () => unknown): boolean => {
    try {
      act()
      setProblem('')
      return true
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
      return false
    }
  }

  const submit = () => {
    const whole = text.replace(/^\s*\n|\s+$/g, '')
    if (tooLong !== undefined) return setProblem(tooLong)
    if (editing !== undefined) {
      if (whole === '') return edited('emptied')
      const { seq } = editing
      const isOther = whole !== editing.text && seq !== undefined
      if (!isOther || attempt(() => room.edit(seq, whole))) edited('done')
      return undefined
    }
    if (whole !== '' && attempt(() => room.send(whole))) sent()
    return undefined
  }

  return { problem, setProblem, submit }
}
