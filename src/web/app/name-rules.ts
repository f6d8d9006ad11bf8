/** Which names rooms and people may have, and what to say of one that may not be. The server decides; this is kinder. Pure. */
import { isDirect } from '../../client/index.ts'

const ROOM_MAX_CHARS = 64
const NAME_MAX_CHARS = 64
const NOT_IN_ROOMS = /[^a-zA-Z0-9._:-]/u
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

/** What a user means who writes `#some room`. */
export function roomNameOf(written: string): string {
  return written.trim().replace(/^#+/, '').replaceAll(/\s+/g, '-')
}

/** Why a room can't be called so; nothing when it can. */
export function roomNameProblem(name: string, maxChars = ROOM_MAX_CHARS): string | undefined {
  if (name === '') return 'Write a name first.'
  const wrong = NOT_IN_ROOMS.exec(name)
  if (wrong !== null) {
    return `“${characterAt(name, wrong.index)}” can’t be in a room’s name. Letters a–z and A–Z, digits and . _ : - can.`
  }
  if (name.length > maxChars) return `A room’s name has at most ${maxChars} characters.`
  if (isDirect(name)) return 'Names that begin with dm: are kept for direct messages.'
  return undefined
}

/** Why a person can't be called so; nothing when they can. */
export function personNameProblem(written: string, maxChars = NAME_MAX_CHARS): string | undefined {
  const name = written.trim()
  if (name === '') return 'Write the name that others shall see.'
  if (name.length > maxChars) return `A name has at most ${maxChars} characters.`
  if (UNPRINTABLE.test(name)) return 'A name has no control characters.'
  return undefined
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0)
}
