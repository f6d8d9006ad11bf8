/** How a message is shown until the log has it. Pure, apart from the actions of a failure. */
import type { Author } from '../../wire/entry.ts'
import { isOwnKind } from '../../wire/entry-data.ts'
import type { ChatMessage, Failure, PendingChange } from '../timeline/messages.ts'
import type { Send } from './outbox.ts'

export interface SendActions {
  author(): Author
  retry(id: string): void
  discard(id: string): void
}

export function messageOfSend(send: Send, actions: SendActions): ChatMessage {
  const { pending, seq } = send
  const failure = failureOf(send, actions)
  return {
    id: pending.id,
    from: actions.author(),
    at: pending.at,
    edited: false,
    removed: false,
    state: stateOf(send),
    ...(pending.text === undefined ? {} : { text: pending.text }),
    ...(isOwnKind(pending.kind) ? { kind: pending.kind, data: pending.data } : {}),
    ...(seq === undefined ? {} : { seq }),
    ...(failure === undefined ? {} : { failure }),
  }
}

/** Pending edits and removals, by the sequence number of the text that they change. */
export function pendingChanges(
  sends: readonly Send[],
  actions: SendActions,
): ReadonlyMap<number, PendingChange> {
  const changes = new Map<number, PendingChange>()
  for (const send of sends) {
    const { kind, text, target } = send.pending
    if ((kind !== 'edit' && kind !== 'remove') || target === undefined) continue
    const failure = failureOf(send, actions)
    changes.set(target, {
      kind,
      state: stateOf(send),
      ...(text === undefined ? {} : { text }),
      ...(failure === undefined ? {} : { failure }),
    })
  }
  return changes
}

function stateOf({ state }: Send): ChatMessage['state'] {
  if (state === 'acked') return 'sent'
  return state === 'failed' ? 'failed' : 'pending'
}

function failureOf({ state, error, pending }: Send, actions: SendActions): Failure | undefined {
  if (state !== 'failed' || error === undefined) return undefined
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    retry: () => actions.retry(pending.id),
    discard: () => actions.discard(pending.id),
  }
}
