/**
 * Connects the timeline's model, scroll position and older messages: stays at the end, opens at the unread
 * marker, and loads older messages near the top. Renders nothing.
 */
import type { RefObject } from 'preact'
import { flushSync } from 'preact/compat'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { VirtualizerHandle } from 'virtua'
import type { ChatClient, ChatRoom } from '../../../client/index.ts'
import { isPageFocused, onPageFocusChange } from '../page-focus.ts'
import { lastSeqIn } from './row-positions.ts'
import { ScrollTracker } from './scroll.ts'
import { TimelineModel, type TimelineStep } from './timeline-model.ts'
import { useOlder } from './use-older.ts'

/** Height reserved above the rows. */
export const BEFORE_MESSAGES_PX = 52
const NOTHING: TimelineStep = { rows: [], shift: false }

interface TimelineOptions {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: string
  readonly scroller: RefObject<HTMLElement | null>
  readonly list: RefObject<VirtualizerHandle | null>
}

export function useTimeline({ chat, room, me, scroller, list }: TimelineOptions) {
  const [step, setStep] = useState(NOTHING)
  const [below, setBelow] = useState<{ isFar: boolean; count: number }>({ isFar: false, count: 0 })
  const model = useRef<TimelineModel | undefined>(undefined)
  const scroll = useMemo(() => new ScrollTracker(), [])
  const { rows } = step

  const updateSeen = useCallback(() => {
    const current = model.current
    if (current === undefined) return
    if (isPageFocused() && !scroll.isPlacing) {
      if (scroll.isAtEnd) current.sawAll()
      else current.saw(lastSeqIn(current.rows, scroll.lastRowIn(list.current)))
    }
    const isFar = !scroll.isAtEnd
    const count = isFar ? current.unseen : 0
    setBelow((before) => (before.isFar === isFar && before.count === count ? before : { isFar, count }))
  }, [scroll])

  /** Scrolls to the unread marker, unless it is visible at the end anyway. */
  const toUnread = useCallback(
    (index: number) => {
      const known = list.current
      if (known === null || known.scrollSize - known.getItemOffset(index) <= known.viewportSize) return
      // `scrollToIndex` adds the space above the rows, which `offset` takes off again.
      scroll.place(() => known.getItemOffset(index))
      known.scrollToIndex(index, { align: 'start', offset: -BEFORE_MESSAGES_PX })
    },
    [scroll],
  )

  const flush = useCallback(() => model.current?.flush(), [])
  const older = useOlder({ chat, room, loaded: flush })

  const moved = useCallback(
    (event: Event) => {
      scroll.moved(event)
      updateSeen()
      if (scroll.wantsOlder && older.state === 'idle') older.load()
    },
    [scroll, updateSeen, older],
  )

  useLayoutEffect(() => {
    const endScroll = scroll.attach(scroller.current)
    const created = new TimelineModel({
      chat,
      room,
      me,
      show: (next) => flushSync(() => setStep(next)),
      isWatching: () => isPageFocused() && scroll.isAtEnd,
      place: () => {
        const unread = created.unreadRow
        if (unread !== -1 && !scroll.wasMoved) toUnread(unread)
      },
      opened: updateSeen,
      reset: () => scroll.toEnd(),
    })
    model.current = created
    setStep({ rows: created.rows, shift: false })
    const endAttention = onPageFocusChange(updateSeen)
    return () => {
      created.close()
      endScroll()
      endAttention()
      model.current = undefined
    }
  }, [chat, room, me, scroll, updateSeen, toUnread])

  const toNewest = useCallback(() => {
    scroll.toEnd()
    room.forgetOlder()
    flush()
    scroll.toEnd()
  }, [room, scroll, flush])

  const resized = useCallback(() => {
    scroll.keepEnd()
    updateSeen()
  }, [scroll, updateSeen])

  useLayoutEffect(resized, [rows, resized])

  // A page can contain no messages (edits are entries too): the top is still near then.
  useEffect(() => {
    if (step !== NOTHING && scroll.wantsOlder && older.state === 'idle') older.load()
  }, [step, older, scroll])

  const messageSent = () => {
    model.current?.messageSent()
    toNewest()
  }

  const lastInSight = () => scroll.lastRowIn(list.current)
  return { step, below, older, moved, resized, toNewest, messageSent, lastInSight }
}
