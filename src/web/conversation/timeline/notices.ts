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
        ? 'A message is missing here: the server says that it exists and does not hand it out.'
        : `${doubt.to - doubt.from + 1} messages are missing here: the server says that they exist and does not hand them out.`
    case 'contradiction':
      return 'The server told two different things about the message above. The one that came first is shown.'
    case 'ack':
      return 'The server said that a message of yours is kept here, and shows another in its place. Yours is being sent again.'
    default:
      return 'The server keeps naming another history for this room. What is shown may not be all of it.'
  }
}

function resetText(reason: ResetReason): string {
  return reason === 'epoch'
    ? 'The server has begun this room anew: messages from before are gone, and those below are all there are.'
    : 'You were away for longer than the server keeps messages. Some between your last visit and these are gone.'
}
