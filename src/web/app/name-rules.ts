/**
 * The rules for names of rooms and people, with messages. The server decides; these checks are only faster
 * and clearer. Pure.
 */
import {
  foldedRoom,
  isDirect,
  nameProblem,
  ROOM_MAX_CHARS,
  roomProblem,
  tidyName,
} from '../../client/index.ts'

/** The room name for user input like `#Some room`. */
export function roomNameOf(written: string): string {
  return foldedRoom(written.trim().replace(/^#+/, '').replaceAll(/\s+/g, '-'))
}

/** Why the name is not valid for a room; undefined if it is. */
export function roomNameProblem(name: string, maxChars = ROOM_MAX_CHARS): string | undefined {
  const folded = foldedRoom(name)
  const problem = roomProblem(folded, maxChars)
  if (problem === 'empty') return 'Enter a name first.'
  if (problem === 'too long') return `A room’s name can have at most ${maxChars} characters.`
  if (problem === 'unusual')
    return 'A room’s name can’t contain invisible characters or marks without a letter.'
  if (problem !== undefined) {
    return `“${problem.wrong}” can’t be in a room’s name. Letters, digits and . _ : - can.`
  }
  return isDirect(folded) ? 'Names that begin with dm: are reserved for direct messages.' : undefined
}

/** Why the name is not valid for a person; undefined if it is. */
export function personNameProblem(written: string, maxChars?: number): string | undefined {
  const name = tidyName(written)
  if (name === '') return 'Enter a name.'
  const problem = nameProblem(name, maxChars)
  return problem === undefined ? undefined : `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`
}
