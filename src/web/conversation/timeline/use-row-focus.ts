/**
 * Keyboard access to messages (roving tabindex): Tab reaches one message, other keys move to others or act on
 * it.
 */
import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { VirtualizerHandle } from 'virtua'
import { countCodePoints } from '../characters.ts'
import type { MessageActions } from '../message/message-actions.ts'
import { lastMessage, messageFrom } from './row-positions.ts'
import type { Row } from './rows.ts'

interface RowFocusOptions {
  readonly rows: readonly Row[]
  readonly scroller: RefObject<HTMLElement | null>
  readonly list: RefObject<VirtualizerHandle | null>
  readonly actions: MessageActions
  /** Index of the last visible row. */
  readonly lastInSight: () => number
  readonly toNewest: () => void
  /** A character was typed while a message had the focus. */
  readonly onWrite: () => void
}

export interface RowFocus {
  /** The key of the row that has the focus or would get it. */
  readonly active: string | undefined
  /** Its index; -1 if there is none. */
  readonly activeIndex: number
  readonly pressed: (event: KeyboardEvent) => void
  readonly focused: (event: FocusEvent) => void
}

export function useRowFocus(options: RowFocusOptions): RowFocus {
  const { rows, scroller, list, actions, lastInSight, toNewest, onWrite } = options
  const [active, setActive] = useState<string>()
  const wantsFocus = useRef(false)

  const focusRow = (key: string | undefined) => {
    const index = rows.findIndex((row) => row.key === key)
    if (key === undefined || index === -1) return
    wantsFocus.current = true
    setActive(key)
    list.current?.scrollToIndex(index, { align: 'nearest' })
  }

  useLayoutEffect(() => {
    if (!wantsFocus.current) return
    wantsFocus.current = false
    for (const article of scroller.current?.querySelectorAll<HTMLElement>('article') ?? []) {
      if (article.dataset.key === active) article.focus({ preventScroll: true })
    }
  }, [active, rows])

  const pressed = (event: KeyboardEvent) => {
    const { target, key } = event
    if (!(target instanceof HTMLElement) || target.tagName !== 'ARTICLE') return
    const row = rows.find((known) => known.key === target.dataset.key)
    if (row?.kind !== 'message') return
    if (key === 'ArrowUp' || key === 'ArrowDown' || key === 'Home' || key === 'End') {
      event.preventDefault()
      if (key === 'End') toNewest()
      focusRow(messageFrom(rows, row, key))
    } else if (key === 'Enter' || key === 'ContextMenu' || (key === 'F10' && event.shiftKey)) {
      event.preventDefault()
      if (!row.message.removed) actions.menu(row.message, target)
    } else if (key === 'Escape' || isWriting(event)) onWrite()
  }

  const focused = ({ target }: FocusEvent) => {
    if (target === scroller.current) focusRow(lastMessage(rows.slice(0, lastInSight() + 1))?.key)
    const article = target instanceof Element ? target.closest('article') : null
    if (article?.dataset.key !== undefined) setActive(article.dataset.key)
  }

  const activeIndex = active === undefined ? -1 : rows.findIndex((row) => row.key === active)
  return { active, activeIndex, pressed, focused }
}

function isWriting({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return countCodePoints(key) === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey
}
