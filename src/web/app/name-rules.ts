/**
 * The rules for names of rooms and people, with messages. The server decides; these checks are only faster
 * and clearer. Pure.
 */
import { isDirect, nameProblem, tidyName } from '../../client/index.ts'

const ROOM_MAX_CHARS = 64
const NOT_IN_ROOMS = /[^a-zA-Z0-9._:-]/u

/** The room name for user input like `#some room`. */
export function roomNameOf(written: string): string {
  return written.trim().replace(/^#+/, '').replaceAll(/\s+/g, '-')
}

/** Why the name is not valid for a room; undefined if it is. */
export function roomNameProblem(name: string, maxChars = ROOM_MAX_CHARS): string | undefined {
  if (name === '') return 'Enter a name first.'
  const wrong = NOT_IN_ROOMS.exec(name)
  if (wrong !== null) {
    return `“${characterAt(name, wrong.index)}” can’t be in a room’s name. Letters a–z and A–Z, digits and . _ : - can.`
  }
  if (name.length > maxChars) return `A room’s name can have at most ${maxChars} characters.`
  if (isDirect(name)) return 'Names that begin with dm: are reserved for direct messages.'
  return undefined
}

/** Why the name is not valid for a person; undefined if it is. */
export function personNameProblem(written: string, maxChars?: number): string | undefined {
  const name = tidyName(written)
  if (name === '') return 'Enter a name.'
  const problem = nameProblem(name, maxChars)
  return problem === undefined ? undefined : `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0)
}
