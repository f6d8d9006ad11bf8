/** The messages of a room in a virtual list, and a button to the newest. */
import { useRef } from 'preact/hooks'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { type Author, type ChatClient, type ChatRoom, isDirect } from '../../../client/index.ts'
import { ArrowDownIcon } from '../../components/icons.tsx'
import type { MessageActions } from '../message/message-actions.ts'
import { useReaders } from '../message/use-readers.ts'
import { toldApart } from '../same-names.ts'
import { beginningText, conversationKind, newMessagesText } from '../sentences.ts'
import { useShortIds } from '../short-ids.tsx'
import { useIsOnline, useRoomValue } from '../use-room-value.ts'
import { OlderRow } from './other-rows.tsx'
import { authorsOf } from './row-positions.ts'
import { RowView } from './row-view.tsx'
import type { Row } from './rows.ts'
import { useRowFocus } from './use-row-focus.ts'
import { BEFORE_MESSAGES_PX, useTimeline } from './use-timeline.ts'

const PRESENCE = ['presence'] as const

interface TimelineProps {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: Author
  readonly title: string
  readonly actions: MessageActions
  /** Set to the methods that the parent may call. */
  readonly handle: { current: TimelineHandle | undefined }
  /** A character was typed while a message had the focus. */
  readonly onWrite: () => void
}

export interface TimelineHandle {
  /** Scrolls to the newest message and removes the unread marker. */
  readonly messageSent: () => void
  readonly focus: () => void
}

export function Timeline({ chat, room, me, title, actions, handle, onWrite }: TimelineProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const timeline = useTimeline({ chat, room, me: me.id, scroller, list })
  const { step, below, older, toNewest, lastInSight } = timeline
  const { rows, shift } = step
  const focus = useRowFocus({ rows, scroller, list, actions, lastInSight, toNewest, onWrite })
  const { active, activeIndex, hasFocus } = focus
  const isOnline = useIsOnline(chat)
  const members = useRoomValue(room, PRESENCE, (known) => known.members.list)
  const shortIds = useShortIds(() => [me, ...members, ...authorsOf(rows)], [me, members, rows])
  const seen = useReaders(room, me.id, rows)
  const readers = { ...seen.readers, users: toldApart(seen.readers.users, shortIds) }
  const now = Date.now()
  const beginning = beginningText(title, conversationKind(isDirect(room.name), title, me))

  handle.current = { messageSent: timeline.messageSent, focus: () => scroller.current?.focus() }

  return (
    <div class="timeline">
      <div
        class="timeline-scroller"
        ref={scroller}
        role="log"
        aria-live="off"
        tabIndex={activeIndex === -1 ? 0 : -1}
        aria-label={`Messages in ${title}`}
        onScroll={timeline.moved}
        onKeyDown={focus.pressed}
        onFocusIn={focus.focused}
        onFocusOut={focus.blurred}
      >
        <div class="timeline-top">{room.hasOlder && <OlderRow state={older.state} retry={older.load} />}</div>
        <Virtualizer
          ref={list}
          data={rows}
          shift={shift}
          startMargin={BEFORE_MESSAGES_PX}
          bufferSize={400}
          keepMounted={activeIndex === -1 ? [] : [activeIndex]}
          onResize={timeline.resized}
        >
          {(row: Row) => (
            <RowView
              key={row.key}
              row={row}
              me={me}
              beginning={beginning}
              now={now}
              isActive={row.key === active}
              isFocused={hasFocus && row.key === active}
              shortIds={shortIds}
              readers={row.key === seen.key ? readers : undefined}
              isOnline={isOnline}
              actions={actions}
            />
          )}
        </Virtualizer>
        <div class="timeline-bottom" />
      </div>
      {below.isFar && <ToNewest count={below.count} go={toNewest} />}
    </div>
  )
}

/** @param count new messages that the user has not seen */
function ToNewest({ count, go }: { readonly count: number; readonly go: () => void }) {
  return (
    <button
      type="button"
      class={count > 0 ? 'jump jump-new' : 'jump'}
      aria-label={newMessagesText(count)}
      onClick={go}
    >
      {count > 0 && <span>{newMessagesText(count)}</span>}
      <ArrowDownIcon size={18} />
    </button>
  )
}
