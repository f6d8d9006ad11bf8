/** Messages for people, by error code. The error's own message is shown as a detail. Pure. */
import type { ChatErrorCode } from '../../client/index.ts'

const WORDS: Readonly<Record<ChatErrorCode, string>> = {
  bad_request: 'The server rejected this.',
  unauthenticated: 'The server no longer knows who you are. Sign in again.',
  forbidden: 'You are not allowed to do this here.',
  not_joined: 'You are no longer in this room. Open it again.',
  not_found: 'This no longer exists.',
  conflict: 'A different message was already sent in its place.',
  too_large: 'It is too long for this server.',
  rate_limited: 'Too many requests. Try again in a moment.',
  internal: 'Something went wrong on the server. Try again in a moment.',
  unavailable: 'The server can’t do this right now. Try again in a moment.',
  draining: 'The server is about to restart. Try again in a moment.',
  timeout: 'The server did not answer. Try again in a moment.',
  offline: 'There is no connection to the server.',
  closed: 'You have been disconnected. Reload the page to reconnect.',
  too_many_pending: 'Too many messages are waiting to be sent. Wait until some of them have been sent.',
  bad_answer: 'This page does not understand the server’s answer. Try reloading the page.',
  contradicted: 'The server accepted it, but then showed a different message in its place.',
  other_user: 'It was written by someone else who used this browser.',
  storage: 'This browser can’t store unsent messages: a reload would lose them.',
}

export function errorText(code: ChatErrorCode): string {
  return WORDS[code]
}
