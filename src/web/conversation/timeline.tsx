/**
 * The messages of a room on a virtual list: stays at the bottom while the user is there, keeps the place of what is read
 * otherwise, loads older ones when the top comes near.
 */
import { flushSync } from 'preact/compat'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import type { Author, ChatClient, ChatRoom } from '../../client/index.ts'
import { ArrowDownIcon } from '../icons.tsx'
import { isAttentive, onAttention } from './attention.ts'
import { codePointsIn } from './characters.ts'
import type { MessageActions } from './message-actions.ts'
import { MessageRow } from './message-row.tsx'
import { useRoom } from './room-events.ts'
import { type MessageRow as MessageRowData, type Row } from './rows.ts'
import { BeginningRow, DayRow, NoticeRow, OlderRow, UnreadRow } from './rows-view.tsx'
import { Scroll } from './scroll.ts'
import { TimelineModel, type TimelineStep } from './timeline-model.ts'
import { newMessagesWords, type Readers, readersOf } from './words.ts'

interface TimelineProps {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: Author
  readonly title: string
  readonly actions: MessageActions
  /** Filled with what others may ask of the timeline. */
  readonly handle: { current: TimelineHandle | undefined }
  /** A key that writes was pressed among the messages. */
  readonly onWrite: () => void
}

export interface TimelineHandle {
  /** To the newest; what was new before is no longer marked. */
  readonly answered: () => void
  readonly focus: () => void
}

const BEFORE_MESSAGES_PX = 52
const NOTHING: TimelineStep = { rows: [], shift: false }

export function Timeline(props: TimelineProps) {
  const { chat, room, me, title, actions, handle, onWrite } = props
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const [step, setStep] = useState(NOTHING)
  const [older, setOlder] = useState<'idle' | 'loading' | 'failed'>('idle')
  const [below, setBelow] = useState<{ isFar: boolean; count: number }>({ isFar: false, count: 0 })
  const [active, setActive] = useState<string>()
  const wantsFocus = useRef(false)
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

  const loadOlder = useCallback(async () => {
    if (!room.hasOlder) return
    setOlder('loading')
    try {
      await room.loadOlder()
      model.current?.flush()
      setOlder('idle')
    } catch {
      // Whatever the reason is: the row says that it failed and offers another try.
      setOlder('failed')
    }
  }, [room])

  const moved = useCallback(
    (event: Event) => {
      scroll.moved(event)
      look()
      if (scroll.wantsOlder && older === 'idle') void loadOlder()
    },
    [scroll, look, loadOlder, older],
  )

  useLayoutEffect(() => {
    const endScroll = scroll.attach(scroller.current)
    const made = new TimelineModel({
      chat,
      room,
      me: me.id,
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
  }, [chat, room, me.id, scroll, look, toUnread])

  const toNewest = useCallback(() => {
    scroll.toEnd()
    room.forgetOlder()
    model.current?.flush()
    scroll.toEnd()
  }, [room, scroll])

  useLayoutEffect(() => {
    scroll.keepEnd()
    look()
  }, [rows, scroll, look])

  // A page of older entries may hold no message at all (edits are entries too): the top is still near then.
  useEffect(() => {
    if (step !== NOTHING && scroll.wantsOlder && older === 'idle') void loadOlder()
  }, [step, older, scroll, loadOlder])

  handle.current = {
    answered: () => {
      model.current?.answered()
      toNewest()
    },
    focus: () => scroller.current?.focus(),
  }

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

  const activeIndex = active === undefined ? -1 : rows.findIndex((row) => row.key === active)
  const seen = useReaders(room, me.id, rows)
  const now = Date.now()

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

  return (
    <div class="timeline">
      <div
        class="timeline-scroller"
        ref={scroller}
        role="log"
        aria-live="off"
        tabIndex={activeIndex === -1 ? 0 : -1}
        aria-label={`Messages in ${title}`}
        onScroll={moved}
        onKeyDown={pressed}
        onFocusIn={({ target }) => {
          if (target === scroller.current)
            focusRow(lastMessage(rows.slice(0, scroll.lastRowIn(list.current) + 1))?.key)
          const article = target instanceof Element ? target.closest('article') : null
          if (article?.dataset.key !== undefined) setActive(article.dataset.key)
        }}
      >
        <div class="timeline-top">
          {room.hasOlder && <OlderRow state={older} retry={() => void loadOlder()} />}
        </div>
        <Virtualizer
          ref={list}
          data={rows}
          shift={step.shift}
          startMargin={BEFORE_MESSAGES_PX}
          bufferSize={400}
          keepMounted={activeIndex === -1 ? [] : [activeIndex]}
          onResize={() => {
            scroll.keepEnd()
            look()
          }}
        >
          {(row: Row) => (
            <RowView
              key={row.key}
              row={row}
              me={me}
              title={title}
              now={now}
              isActive={row.key === active}
              readers={row.key === seen.key ? seen.readers : undefined}
              actions={actions}
            />
          )}
        </Virtualizer>
        <div class="timeline-bottom" />
      </div>
      {below.isFar && (
        <button
          type="button"
          class={below.count > 0 ? 'jump jump-new' : 'jump'}
          aria-label={newMessagesWords(below.count)}
          onClick={toNewest}
        >
          {below.count > 0 && <span>{newMessagesWords(below.count)}</span>}
          <ArrowDownIcon size={18} />
        </button>
      )}
    </div>
  )
}

interface RowViewProps {
  readonly row: Row
  readonly me: Author
  readonly title: string
  readonly now: number
  readonly isActive: boolean
  readonly readers: Readers | undefined
  readonly actions: MessageActions
}

function RowView({ row, me, title, now, isActive, readers, actions }: RowViewProps) {
  switch (row.kind) {
    case 'message':
      return <MessageRow row={row} me={me} isActive={isActive} readers={readers} actions={actions} />
    case 'day':
      return <DayRow day={row.day} now={now} />
    case 'unread':
      return <UnreadRow />
    case 'notice':
      return <NoticeRow words={row.words} />
    default:
      return <BeginningRow title={title} isFirst={row.isFirst} />
  }
}

const READING = ['read', 'presence'] as const

/** Who has read up to the user's own last message. */
function useReaders(
  room: ChatRoom,
  me: string,
  rows: readonly Row[],
): { key: string | undefined; readers: Readers } {
  const [reads, members] = useRoom(room, READING, (known) => [known.reads, known.members.list] as const)
  const own = rows.findLast(
    (row): row is MessageRowData =>
      row.kind === 'message' && row.message.from.id === me && !row.message.removed,
  )
  if (own?.message.seq === undefined) return { key: undefined, readers: { users: [], count: 0 } }
  const others = new Map([...reads].filter(([id]) => id !== me))
  return { key: own.key, readers: readersOf(others, own.message.seq, members) }
}

function lastMessage(rows: readonly Row[]): MessageRowData | undefined {
  return rows.findLast((row) => row.kind === 'message')
}

/** 0 when there is none. */
function lastSeqIn(rows: readonly Row[], index: number): number {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]
    if (row?.kind === 'message' && row.message.seq !== undefined) return row.message.seq
  }
  return 0
}

function messageFrom(rows: readonly Row[], row: Row, key: string): string | undefined {
  const messages = rows.filter(({ kind }) => kind === 'message')
  if (key === 'Home') return messages[0]?.key
  if (key === 'End') return messages.at(-1)?.key
  const place = messages.indexOf(row)
  return messages[key === 'ArrowUp' ? place - 1 : place + 1]?.key
}

function isWriting({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return codePointsIn(key) === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey
}
