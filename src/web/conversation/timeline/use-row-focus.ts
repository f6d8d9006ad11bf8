/**
 * Keyboard access to messages (roving tabindex): Tab reaches one message, other keys move to others or act on
 * it.
 */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
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
  /** A message or something in it has the focus. */
  readonly hasFocus: boolean
  readonly pressed: (event: KeyboardEvent) => void
  readonly focused: (event: FocusEvent) => void
  readonly blurred: (event: FocusEvent) => void
}

export function useRowFocus(options: RowFocusOptions): RowFocus {
  const { rows, scroller, list, actions, lastInSight, toNewest, onWrite } = options
  const [active, setActive] = useState<string>()
  const [hasFocus, setHasFocus] = useState(false)
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
    focusSoon(scroller.current, active)
  }, [active, rows])
  const isPressing = usePressing()

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
    if (article?.dataset.key === undefined) return
    setActive(article.dataset.key)
    setHasFocus(true)
  }

  const blurred = ({ relatedTarget }: FocusEvent) => {
    if (relatedTarget instanceof Element) return setHasFocus(relatedTarget.closest('article') !== null)
    if (isPressing.current) return setHasFocus(false)
    // A row loses the focus when it is moved in the page, because older messages are loaded above it.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body && document.hasFocus()) focusSoon(scroller.current, active)
    })
    return undefined
  }

  const activeIndex = active === undefined ? -1 : rows.findIndex((row) => row.key === active)
  return { active, activeIndex, hasFocus, pressed, focused, blurred }
}

/** Frames in which a row that is far away is rendered and measured. */
const FOCUS_TRIES = 120

/** Gives a row the focus as soon as it can have it: it is hidden until it is measured. Not once the user has left the list. */
function focusSoon(scroller: HTMLElement | null, key: string | undefined, tries = FOCUS_TRIES): void {
  const article = articleOf(scroller, key)
  article?.focus({ preventScroll: true })
  const { activeElement } = document
  if (article !== undefined && activeElement === article) return
  const isLeft = activeElement !== document.body && scroller?.contains(activeElement) !== true
  if (tries > 0 && !isLeft) requestAnimationFrame(() => focusSoon(scroller, key, tries - 1))
}

function articleOf(scroller: HTMLElement | null, key: string | undefined): HTMLElement | undefined {
  const articles = [...(scroller?.querySelectorAll<HTMLElement>('article') ?? [])]
  return articles.find((article) => article.dataset.key === key)
}

/** Whether a pointer is pressed, which moves the focus too. */
function usePressing(): { readonly current: boolean } {
  const isPressing = useRef(false)
  useEffect(() => {
    const pressed = ({ type }: Event) => {
      isPressing.current = type === 'pointerdown'
    }
    const events = ['pointerdown', 'pointerup', 'pointercancel'] as const
    for (const event of events) addEventListener(event, pressed, true)
    return () => {
      for (const event of events) removeEventListener(event, pressed, true)
    }
  }, [])
  return isPressing
}

function isWriting({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return countCodePoints(key) === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey
}
