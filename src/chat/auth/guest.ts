/**
 * Guests: a name of their choice, and an id derived from a key that only they know. The same key always gives
 * the same id; the key can't be derived from the id. A guest without a key gets an ephemeral id, for this
 * connection only. Stores nothing, and never logs a key.
 */
import { createHash, randomBytes } from 'node:crypto'
import { guestAuth } from '../../wire/chat.ts'
import { validate } from '../../wire/validate.ts'
import type { Identity } from './identity.ts'

const PREFIX = 'g_'
const EPHEMERAL_PREFIX = 'p_'
/** 156 bits. */
const DIGEST_CHARS = 26

export function guestId(key: string): string {
  const digest = createHash('sha256').update('rookery guest\0').update(key).digest('base64url')
  return PREFIX + digest.slice(0, DIGEST_CHARS)
}

export function guest(auth: unknown): Identity {
  const { name, key } = validate(guestAuth, auth)
  return { user: { id: key === undefined ? ephemeralId() : guestId(key), name } }
}

/** Whether this guest has no key, and so can't come back after the connection has ended. */
export function isEphemeralGuest(userId: string): boolean {
  return userId.startsWith(EPHEMERAL_PREFIX)
}

function ephemeralId(): string {
  return EPHEMERAL_PREFIX + randomBytes(DIGEST_CHARS).toString('base64url').slice(0, DIGEST_CHARS)
}
