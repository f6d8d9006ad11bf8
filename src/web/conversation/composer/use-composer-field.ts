/** The composer's text field: grows with its text; the page can set its text and caret. */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { ChatMessage, ChatRoom } from '../../../client/index.ts'
import { isTouchDevice } from '../page-focus.ts'
import { type Replacement, replaced } from './completion.ts'
import { useComposerText } from './composer-text.ts'

const LINES_SHOWN_MAX_PX = 220

export interface ComposerField {
  readonly field: RefObject<HTMLTextAreaElement | null>
  readonly text: string
  /** For input by the user. */
  readonly set: (text: string) => void
  /** For changes by the page: also sets the caret and the focus. */
  readonly put: (replacement: Replacement) => void
  /** Replaces the selection. */
  readonly insert: (text: string) => void
}

export function useComposerField(room: ChatRoom, editing: ChatMessage | undefined): ComposerField {
  const field = useRef<HTMLTextAreaElement>(null)
  const { text, set } = useComposerText(room, editing)
  const nextCaret = useRef<number | undefined>(undefined)

  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
    fit(element)
    if (nextCaret.current === undefined) return
    element.setSelectionRange(nextCaret.current, nextCaret.current)
    nextCaret.current = undefined
  }, [text])

  useEffect(() => {
    if (!isTouchDevice()) field.current?.focus()
  }, [room])

  const editedId = editing?.id
  useEffect(() => {
    if (editedId === undefined) return
    field.current?.focus()
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length)
  }, [editedId])

  const put = (replacement: Replacement) => {
    const element = field.current
    element?.focus()
    if (element !== null && insertedAsTyped(element, replacement)) return
    const { from, to, by } = replacement
    const edit = replaced(text, from, to, by)
    nextCaret.current = edit.caret
    set(edit.text)
  }

  const insert = (more: string) => {
    const { selectionStart: from = text.length, selectionEnd: to = text.length } = field.current ?? {}
    put({ from, to, by: more })
  }

  return { field, text, set, put, insert }
}

/**
 * As if the user had typed it, so that the browser can undo it. The field's own input event reports the change.
 * @returns whether the browser did it
 */
function insertedAsTyped(element: HTMLTextAreaElement, { from, to, by }: Replacement): boolean {
  element.setSelectionRange(from, to)
  return document.execCommand('insertText', false, by)
}

/** Fits the height to the text, up to a maximum. */
function fit(element: HTMLTextAreaElement): void {
  element.style.blockSize = 'auto'
  element.style.blockSize = `${Math.min(element.scrollHeight, LINES_SHOWN_MAX_PX)}px`
}
