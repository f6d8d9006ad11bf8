/** Picks the way of authentication that the settings name. */
import type { AppSettings } from '../../wire/app.ts'
import { guest, isEphemeralGuest } from './guest.ts'
import type { Authenticate } from './identity.ts'
import { jwtAuthenticator } from './jwt.ts'

/** @param now Unix milliseconds, for the expiry of tokens */
export function authenticator(settings: AppSettings, now: () => number = Date.now): Authenticate {
  if (settings.auth === 'jwt') return jwtAuthenticator(settings, now)
  return async (auth) => guest(auth)
}

/** @returns whether a user can come back. Nothing is stored for users that can't. */
export function persistentUsers(settings: Pick<AppSettings, 'auth'>): (userId: string) => boolean {
  return settings.auth === 'guest' ? (userId) => !isEphemeralGuest(userId) : () => true
}
