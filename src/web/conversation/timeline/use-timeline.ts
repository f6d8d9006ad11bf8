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
import { keepPlace, type Place, placeIn } from './places.ts'
import { firstSeqFrom, indexOfSeq, lastSeqIn } from './row-positions.ts'
import type { Row } from './rows.ts'
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

function placeOf(
  rows: readonly Row[],
  { index, above }: { index: number; above: number },
): Place | undefined {
  const seq = firstSeqFrom(rows, index)
  return seq === undefined ? undefined : { seq, offset: rows[index]?.kind === 'message' ? above : 0 }
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

  /** Scrolls to a row, unless the end is visible with it anyway. */
  const toRow = useCallback(
    (index: number, offset: number) => {
      const known = list.current
      if (known === null || known.scrollSize - known.getItemOffset(index) - offset <= known.viewportSize)
        return
      // `scrollToIndex` adds the space above the rows, which is taken off again.
      scroll.place(() => known.getItemOffset(index) + offset)
      known.scrollToIndex(index, { align: 'start', offset: offset - BEFORE_MESSAGES_PX })
    },
    [scroll],
  )

  const keepItsPlace = useCallback(() => {
    const known = list.current
    const current = model.current
    if (known === null || current?.isOpen !== true || scroll.isPlacing) return
    keepPlace(room.name, scroll.isAtEnd ? undefined : placeOf(current.rows, scroll.firstRowIn(known)))
  }, [room, scroll])

  const flush = useCallback(() => model.current?.flush(), [])
  const older = useOlder({ chat, room, loaded: flush })

  const moved = useCallback(
    (event: Event) => {
      scroll.moved(event)
      updateSeen()
      keepItsPlace()
      if (scroll.wantsOlder && older.state === 'idle') older.load()
    },
    [scroll, updateSeen, keepItsPlace, older],
  )

  useLayoutEffect(() => {
    const endScroll = scroll.attach(scroller.current)
    const before = placeIn(room.name)
    const created = new TimelineModel({
      chat,
      room,
      me,
      show: (next) => flushSync(() => setStep(next)),
      isWatching: () => isPageFocused() && scroll.isAtEnd,
      returnsTo: before?.seq,
      place: () => {
        if (scroll.wasMoved) return
        const known = before === undefined ? -1 : indexOfSeq(created.rows, before.seq)
        if (before !== undefined && known !== -1) toRow(known, before.offset)
        else if (created.unreadRow !== -1) toRow(created.unreadRow, 0)
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
  }, [chat, room, me, scroll, updateSeen, toRow])

  const toNewest = useCallback(() => {
    scroll.toEnd()
    room.forgetOlder()
    flush()
    scroll.toEnd()
    keepItsPlace()
  }, [room, scroll, flush, keepItsPlace])

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
