/** Messages for people, by error code. The error's own message is shown as a detail. Pure. */
import type { ChatErrorCode } from '../../client/index.ts'

const WORDS: Readonly<Record<ChatErrorCode, string>> = {
  bad_request: 'The server did not accept this.',
  unauthenticated: 'The server no longer knows who you are. Sign in again.',
  forbidden: 'You are not allowed to do this here.',
  not_joined: 'The server does not have you in this room. Open it again.',
  not_found: 'It no longer exists.',
  conflict: 'Something else was sent in its place.',
  too_large: 'It is too long for this server.',
  rate_limited: 'That was too much at once. Try again in a moment.',
  internal: 'Something went wrong on the server. Try again in a moment.',
  unavailable: 'The server can’t do this just now. Try again in a moment.',
  draining: 'The server is about to restart. Try again in a moment.',
  timeout: 'The server did not answer. Try again in a moment.',
  offline: 'There is no connection to the server.',
  closed: 'The conversation has ended. Reload the page to come back.',
  too_many_pending: 'Too many messages are waiting to be sent. Wait until some of them have been sent.',
  bad_answer: 'The server gave an answer that this page does not understand. Reloading the page may help.',
  contradicted: 'The server accepted it, but then showed something else in its place.',
  other_user: 'It was written by somebody else who used this browser.',
  storage: 'This browser stores nothing: unsent messages would be lost on a reload.',
}

export function errorText(code: ChatErrorCode): string {
  return WORDS[code]
}
