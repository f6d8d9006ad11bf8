/**
 * Guests: a name of their choice, and an id made of the key that only they know. The same key gives the same id again;
 * the id gives nothing of the key away. Who has no key gets an id of another kind, for this connection alone. Keeps
 * nothing, and never logs a key.
 */
import { createHash, randomBytes } from 'node:crypto'
import { guestAuth } from '../../wire/chat.ts'
import { checked } from '../requests/failures.ts'
import type { Identity } from './identity.ts'

const PREFIX = 'g_'
const PASSING_PREFIX = 'p_'
/** With the prefix 28 characters, as many as an id in a direct room may have: 156 bits. */
const DIGEST_CHARS = 26

export function guestId(key: string): string {
  const digest = createHash('sha256').update('rookery guest\0').update(key).digest('base64url')
  return PREFIX + digest.slice(0, DIGEST_CHARS)
}

export function guest(auth: unknown): Identity {
  const { name, key } = checked(guestAuth, auth)
  return { user: { id: key === undefined ? passingId() : guestId(key), name } }
}

/** Whether this guest will never be seen again once the connection has ended. */
export function isPassing(userId: string): boolean {
  return userId.startsWith(PASSING_PREFIX)
}

function passingId(): string {
  return PASSING_PREFIX + randomBytes(DIGEST_CHARS).toString('base64url').slice(0, DIGEST_CHARS)
}
