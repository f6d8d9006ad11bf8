/** The errors of the client: the server's codes and a few of the client's own. */
import type { ErrorCode } from '../wire/errors.ts'

export type ChatErrorCode =
  | ErrorCode
  /** No answer came in time. */
  | 'timeout'
  /** There is no connection, or it broke before the answer came. */
  | 'offline'
  /** The client, or the room, has been closed. */
  | 'closed'
  /** Too many messages wait to be sent. */
  | 'too_many_pending'
  /** The server's answer does not follow the protocol. */
  | 'bad_answer'
  /** The server acked the message, but its log has another one in that place. */
  | 'contradicted'
  /** The message was written by another user than the one who is connected now. */
  | 'other_user'
  /** The storage for pending sends failed. */
  | 'storage'

export interface ErrorShape {
  code: ChatErrorCode
  message: string
  retryable: boolean
  retryAfterMs?: number
}

export class ChatError extends Error {
  readonly code: ChatErrorCode
  /** The same call may succeed later. */
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(shape: ErrorShape, cause?: unknown) {
    super(shape.message, cause === undefined ? undefined : { cause })
    this.name = 'ChatError'
    this.code = shape.code
    this.retryable = shape.retryable
    this.retryAfterMs = shape.retryAfterMs
  }

  static from(error: unknown): ChatError {
    if (error instanceof ChatError) return error
    const message = error instanceof Error ? error.message : String(error)
    return new ChatError({ code: 'internal', message, retryable: true }, error)
  }
}

export function timedOut(what: string): ChatError {
  return new ChatError({ code: 'timeout', message: `${what}: no answer came in time`, retryable: true })
}

export function offline(what: string): ChatError {
  return new ChatError({ code: 'offline', message: `${what}: there is no connection`, retryable: true })
}

export function closed(what: string): ChatError {
  return new ChatError({ code: 'closed', message: `${what}: it has been closed`, retryable: false })
}

export function badAnswer(what: string): ChatError {
  const message = `${what}: the answer is not as the protocol has it`
  return new ChatError({ code: 'bad_answer', message, retryable: true })
}
