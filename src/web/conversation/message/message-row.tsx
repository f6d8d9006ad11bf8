/** Draws one message: author and time at the start of a group, the text, its state and its actions. */
import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'
import type { Author, ChatMessage } from '../../../client/index.ts'
import { Avatar } from '../../components/avatar.tsx'
import { AtIcon, CopyIcon, EditIcon, MoreIcon } from '../../components/icons.tsx'
import { beginningOf } from '../characters.ts'
import { isTouchDevice } from '../page-focus.ts'
import type { Readers } from '../sentences.ts'
import { ShortId } from '../short-ids.tsx'
import { fullTimeLabel, shortTimeLabel, timeLabel } from '../timeline/days.ts'
import type { MessageRow as Row } from '../timeline/rows.ts'
import { isChangeable, type MessageActions } from './message-actions.ts'
import { MessageState } from './message-state.tsx'
import { MessageText } from './message-text.tsx'
import { mentions } from './tokens.ts'

interface MessageRowProps {
  readonly row: Row
  readonly me: Author
  /** Reachable with the Tab key. */
  readonly isActive: boolean
  /** The message or something in it has the focus. */
  readonly isFocused: boolean
  /** Part of the author's id, if somebody else's name looks the same. */
  readonly shortId: string | undefined
  readonly readers: Readers | undefined
  readonly isOnline: boolean
  readonly actions: MessageActions
}

export const MessageRow = memo((props: MessageRowProps) => {
  const { row, me, isActive, isFocused, shortId, readers, isOnline, actions } = props
  const { message, opensGroup } = row
  const [isPointed, setPointed] = useState(false)
  const isMine = message.from.id === me.id || message.state !== 'sent'
  const text = message.change?.kind === 'edit' ? (message.change.text ?? message.text) : message.text
  const isMention = !isMine && text !== undefined && mentions(text, me.name)
  return (
    <article
      class={classesOf(message, { opensGroup, isMine, isMention })}
      data-key={row.key}
      data-seq={message.seq}
      tabIndex={isActive ? 0 : -1}
      aria-label={nameOf(message, isMine ? 'You' : authorText(message.from, shortId), text)}
      onMouseEnter={() => setPointed(true)}
      onMouseLeave={() => setPointed(false)}
      onContextMenu={(event) => {
        if (!isTouch(event) || message.removed) return
        event.preventDefault()
        actions.menu(message, event.currentTarget)
      }}
    >
      {opensGroup ? (
        <Avatar user={message.from} size="m" />
      ) : (
        <GutterTime at={message.at} isShown={isPointed || isActive} />
      )}
      <div class="message-body">
        {opensGroup && <Byline message={message} isPointed={isPointed} shortId={shortId} />}
        {message.removed || text === undefined ? (
          <p class="message-removed">This message was removed</p>
        ) : (
          <MessageText
            text={text}
            name={isMine ? '' : me.name}
            isEdited={message.edited}
            isReachable={isFocused}
          />
        )}
        <MessageState message={message} readers={readers} isOnline={isOnline} />
      </div>
      {(isPointed || isTouchDevice()) && !message.removed && message.state === 'sent' && (
        <Toolbar message={message} isMine={isMine} actions={actions} />
      )}
    </article>
  )
})

/** Longer texts are read by moving into the message. */
const NAMED_MAX = 500

/** What a screen reader says when the message gets the focus. */
function nameOf({ at, edited, removed }: ChatMessage, author: string, text = ''): string {
  const about = `${author}, ${timeLabel(at)}${edited ? ', edited' : ''}`
  return `${about}: ${removed ? 'This message was removed' : beginningOf(text, NAMED_MAX)}`
}

function authorText({ name }: Author, shortId: string | undefined): string {
  return shortId === undefined ? name : `${name} ${shortId}`
}

function isTouch(event: MouseEvent): boolean {
  return 'pointerType' in event && event.pointerType === 'touch'
}

function classesOf(
  { removed, state, change }: ChatMessage,
  about: { opensGroup: boolean; isMine: boolean; isMention: boolean },
): string {
  const isWaiting = state === 'pending' || (change !== undefined && change.state !== 'failed')
  return [
    'message',
    about.opensGroup && 'message-first',
    about.isMine && 'message-mine',
    about.isMention && 'message-mention',
    isWaiting && 'message-waiting',
    state === 'failed' && 'message-lost',
    change?.kind === 'remove' && change.state !== 'failed' && 'message-going',
    removed && 'message-gone',
  ]
    .filter((name) => name !== false)
    .join(' ')
}

interface BylineProps {
  readonly message: ChatMessage
  readonly isPointed: boolean
  readonly shortId: string | undefined
}

/** The full time is formatted on hover only: for each row it would take longer than the row itself. */
function Byline({ message: { from, at }, isPointed, shortId }: BylineProps) {
  return (
    <div class="message-byline">
      <bdi class="message-author">{from.name}</bdi>
      <ShortId id={shortId} />
      <time
        class="message-time"
        dateTime={new Date(at).toISOString()}
        title={isPointed ? fullTimeLabel(at) : undefined}
      >
        {timeLabel(at)}
      </time>
    </div>
  )
}

function GutterTime({ at, isShown }: { at: number; isShown: boolean }) {
  if (!isShown) return <span />
  return (
    <time class="message-gutter-time" dateTime={new Date(at).toISOString()} title={fullTimeLabel(at)}>
      {shortTimeLabel(at)}
    </time>
  )
}

interface ToolbarProps {
  readonly message: ChatMessage
  readonly isMine: boolean
  readonly actions: MessageActions
}

/** For pointer users. The menu offers all of it by keyboard. */
function Toolbar({ message, isMine, actions }: ToolbarProps) {
  return (
    <div class="message-toolbar">
      {!isMine && <Tool label="Reply" Icon={AtIcon} act={() => actions.reply(message)} />}
      {isMine && isChangeable(message) && (
        <Tool label="Edit" Icon={EditIcon} act={() => actions.edit(message)} />
      )}
      <Tool label="Copy text" Icon={CopyIcon} act={() => actions.copy(message)} />
      <button
        type="button"
        class="icon-button icon-button-small message-more"
        tabIndex={-1}
        aria-label="More"
        aria-haspopup="menu"
        title="More"
        onClick={(event) => actions.menu(message, event.currentTarget)}
      >
        <MoreIcon size={16} />
      </button>
    </div>
  )
}

interface ToolProps {
  readonly label: string
  readonly Icon: typeof CopyIcon
  readonly act: () => void
}

function Tool({ label, Icon, act }: ToolProps) {
  return (
    <button
      type="button"
      class="icon-button icon-button-small"
      tabIndex={-1}
      aria-label={label}
      title={label}
      onClick={act}
    >
      <Icon size={16} />
    </button>
  )
}
