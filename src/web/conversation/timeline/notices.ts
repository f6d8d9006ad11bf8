/** Notices about contradictions, gaps and resets, and their place among the messages. Pure. */
import type { Doubt, ResetReason } from '../../../client/index.ts'

export type NoticeCause = { readonly doubt: Doubt } | { readonly reset: ResetReason }

export interface Notice {
  readonly id: number
  /** Shown after the message with this number. */
  readonly after: number
  readonly text: string
}

/** Beyond this limit the oldest are dropped. */
const NOTICES_MAX = 50

/** @param last sequence number of the newest message shown */
export function withNotice(notices: readonly Notice[], cause: NoticeCause, last: number): readonly Notice[] {
  const id = (notices.at(-1)?.id ?? 0) + 1
  // After a reset older notices refer to messages that are gone.
  if ('reset' in cause) return [{ id, after: 0, text: resetText(cause.reset) }]
  const notice = { id, after: positionOf(cause.doubt, last), text: doubtText(cause.doubt) }
  if (notices.some(({ after, text }) => after === notice.after && text === notice.text)) return notices
  return [...notices, notice].slice(-NOTICES_MAX)
}

function positionOf(doubt: Doubt, last: number): number {
  if (doubt.reason === 'missing') return doubt.to
  if (doubt.reason === 'contradiction' || doubt.reason === 'ack') return doubt.seq
  return last
}

function doubtText(doubt: Doubt): string {
  switch (doubt.reason) {
    case 'missing':
      return doubt.from === doubt.to
        ? 'A message is missing here: the server has it but does not return it.'
        : `${doubt.to - doubt.from + 1} messages are missing here: the server has them but does not return them.`
    case 'contradiction':
      return 'The server sent two different versions of the message above. The first one is shown.'
    case 'ack':
      return 'The server confirmed your message here but shows a different one. Yours is being sent again.'
    default:
      return 'The server keeps sending a different history of this room. Some messages may be missing.'
  }
}

function resetText(reason: ResetReason): string {
  return reason === 'epoch'
    ? 'The server started this room from scratch: earlier messages are gone.'
    : 'You were away for longer than the server keeps messages. Some since your last visit are gone.'
}
