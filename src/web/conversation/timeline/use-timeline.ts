/**
 * The rows of a room and where they stand on the screen: at the end while the user is there, at what is read otherwise; older
 * ones are loaded when the top comes near. Draws nothing.
 */
import type { RefObject } from 'preact'
import { flushSync } from 'preact/compat'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { VirtualizerHandle } from 'virtua'
import type { ChatClient, ChatRoom } from '../../../client/index.ts'
import { isAttentive, onAttention } from '../attention.ts'
import { lastSeqIn } from './row-positions.ts'
import { Scroll } from './scroll.ts'
import { TimelineModel, type TimelineStep } from './timeline-model.ts'
import { useOlder } from './use-older.ts'

/** Room that is kept above the rows. */
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
  const scroll = useMemo(() => new Scroll(), [])
  const { rows } = step

  const look = useCallback(() => {
    const seen = model.current
    if (seen === undefined) return
    if (isAttentive()) {
      if (scroll.isAtEnd) seen.sawAll()
      else seen.saw(lastSeqIn(seen.rows, scroll.lastRowIn(list.current)))
    }
    const isFar = !scroll.isAtEnd
    const count = isFar ? seen.unseen : 0
    setBelow((before) => (before.isFar === isFar && before.count === count ? before : { isFar, count }))
  }, [scroll])

  /** Unless the line stands in sight at the end. */
  const toUnread = useCallback(
    (index: number) => {
      const known = list.current
      if (known === null || known.scrollSize - known.getItemOffset(index) <= known.viewportSize) return
      scroll.leave()
      known.scrollToIndex(index, { align: 'start', offset: -BEFORE_MESSAGES_PX })
    },
    [scroll],
  )

  const flush = useCallback(() => model.current?.flush(), [])
  const older = useOlder({ chat, room, loaded: flush })

  const moved = useCallback(
    (event: Event) => {
      scroll.moved(event)
      look()
      if (scroll.wantsOlder && older.state === 'idle') older.load()
    },
    [scroll, look, older],
  )

  useLayoutEffect(() => {
    const endScroll = scroll.attach(scroller.current)
    const made = new TimelineModel({
      chat,
      room,
      me,
      show: (next) => flushSync(() => setStep(next)),
      isWatching: () => isAttentive() && scroll.isAtEnd,
      opened: () => {
        const unread = made.unreadRow
        if (unread !== -1 && !scroll.wasMoved) toUnread(unread)
        look()
      },
      reset: () => scroll.toEnd(),
    })
    model.current = made
    setStep({ rows: made.rows, shift: false })
    const endAttention = onAttention(look)
    return () => {
      made.close()
      endScroll()
      endAttention()
      model.current = undefined
    }
  }, [chat, room, me, scroll, look, toUnread])

  const toNewest = useCallback(() => {
    scroll.toEnd()
    room.forgetOlder()
    flush()
    scroll.toEnd()
  }, [room, scroll, flush])

  const resized = useCallback(() => {
    scroll.keepEnd()
    look()
  }, [scroll, look])

  useLayoutEffect(resized, [rows, resized])

  // A page of older entries may hold no message at all (edits are entries too): the top is still near then.
  useEffect(() => {
    if (step !== NOTHING && scroll.wantsOlder && older.state === 'idle') older.load()
  }, [step, older, scroll])

  const answered = () => {
    model.current?.answered()
    toNewest()
  }

  const lastInSight = () => scroll.lastRowIn(list.current)
  return { step, below, older, moved, resized, toNewest, answered, lastInSight }
}
