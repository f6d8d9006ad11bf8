/**
 * Beside an application of one's own, a generic name in the environment may be the application's: `JWT_SECRET`,
 * `LOG_LEVEL=verbose`. Such a value is passed over with a warning where it can't be a setting. REDIS_URL is not
 * among them: a host that stands alone by mistake would be worse than one that does not start. Rules of the
 * chat's settings do not hold then. Pure.
 */
import type { Problem } from './problem.ts'
import type { SettingKey } from './schema.ts'
import { environmentName, PREFIX } from './setting.ts'
import type { RawValue } from './sources.ts'

/** What only the chat reads, or what an application reads from `context.settings`. */
export const OF_THE_CHAT: ReadonlySet<SettingKey> = new Set([
  'auth',
  'jwtSecret',
  'jwtSecretOther',
  'jwksUrl',
  'jwtIssuer',
  'jwtAudience',
  'apiKey',
  'textMaxChars',
  'roomsPerSocket',
  'messageRate',
  'messageBurst',
  'requestRate',
  'requestBurst',
  'slowClientBytes',
])
const SHARED: ReadonlySet<SettingKey> = new Set(['logLevel', 'logFormat', 'host'])

/** Whether applications may mean something else by this setting's name. */
export const mayBeForeign = (key: SettingKey): boolean => OF_THE_CHAT.has(key) || SHARED.has(key)

/** The warning for a value that is passed over; undefined if it has to be reported as a problem. */
export function foreignValue(key: SettingKey, given: RawValue, problem: Problem): Problem | undefined {
  if (given.source !== 'environment' || given.name.startsWith(PREFIX)) return undefined
  if (!mayBeForeign(key)) return undefined
  const own = PREFIX + environmentName(key)
  return { ...problem, message: `${problem.message}; not used. ${own} is read by Rookery alone` }
}
