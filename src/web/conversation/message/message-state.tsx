/** The state below the user's own message: sending, failed or seen. */
import type { ChatMessage, Failure } from '../../../client/index.ts'
import { errorText } from '../../app/error-text.ts'
import { ChecksIcon, ClockIcon, WarningIcon } from '../../components/icons.tsx'
import { type Readers, readersText } from '../sentences.ts'

interface MessageStateProps {
  readonly message: ChatMessage
  /** For the user's last message: it keeps a line free, so that nothing moves when it is sent and read. */
  readonly readers: Readers | undefined
  /** If false, nothing is being sent. */
  readonly isOnline: boolean
}

export function MessageState({ message, readers, isOnline }: MessageStateProps) {
  const { failure, change } = message
  if (failure !== undefined) return <Failed what="Not sent" failure={failure} />
  if (change?.failure !== undefined) {
    return <Failed what={change.kind === 'edit' ? 'Not saved' : 'Not removed'} failure={change.failure} />
  }
  const pending = pendingText(message, isOnline)
  if (readers === undefined) return pending === undefined ? null : <Pending text={pending} />
  return (
    <div class="message-line">
      {pending === undefined ? <Seen readers={readers} /> : <Pending text={pending} />}
    </div>
  )
}

function pendingText({ state, change }: ChatMessage, isOnline: boolean): string | undefined {
  if (state === 'pending') return isOnline ? 'Sending…' : 'Waiting'
  return change === undefined ? undefined : changeText(change.kind, isOnline)
}

function Seen({ readers }: { readers: Readers }) {
  if (readers.count === 0) return null
  const title = readers.users.map(({ name }) => name).join(', ')
  return (
    <p class="message-state message-seen" title={title}>
      <ChecksIcon size={14} />
      {readersText(readers)}
    </p>
  )
}

function changeText(kind: 'edit' | 'remove', isOnline: boolean): string {
  if (kind === 'edit') return isOnline ? 'Saving…' : 'Not saved yet'
  return isOnline ? 'Removing…' : 'Not removed yet'
}

function Pending({ text }: { text: string }) {
  return (
    <p class="message-state message-pending">
      <ClockIcon size={14} />
      <span>{text}</span>
    </p>
  )
}

function Failed({ what, failure }: { what: string; failure: Failure }) {
  return (
    <div class="message-state message-failed">
      <WarningIcon size={16} />
      <span class="message-failed-why" title={failure.message}>
        <strong>{what}.</strong> {errorText(failure.code)}
      </span>
      <button type="button" class="button button-small" onClick={() => failure.retry()}>
        Retry
      </button>
      <button type="button" class="button button-small button-quiet" onClick={() => failure.discard()}>
        Discard
      </button>
    </div>
  )
}
