/**
 * Names of rooms: letters of all scripts, in lower case and composed form, so that one name is one room however it is
 * written. Pure; used by server and page.
 */
import { hasInvisible, hasStackedMarks } from './names.ts'

export const ROOM_MAX_CHARS = 64

/** Names of before: in capitals too. */
const EARLIER_NAME = /^[a-zA-Z0-9._:-]{1,64}$/
const NOT_IN_ROOMS = /[^\p{L}\p{M}\p{N}._:-]/u
/** They shape the letters of some scripts (`hasInvisible`). */
const JOINERS = /[\u200c\u200d]/g

/** The form under which all spellings of a name are one room. */
export function foldedRoom(written: string): string {
  return written.normalize('NFC').toLowerCase().normalize('NFC')
}

/** A name as it is compared: folded, unless a room may have it from before. */
export function askedRoom(written: string): string {
  return EARLIER_NAME.test(written) ? written : foldedRoom(written)
}

/** Whether this is the name of a room that is not direct: a folded one, or one of before. */
export function isRoomName(name: string): boolean {
  return EARLIER_NAME.test(name) || (name === foldedRoom(name) && roomProblem(name) === undefined)
}

export type RoomProblem = 'empty' | 'too long' | 'unusual' | { readonly wrong: string }

/** Why a folded name is not valid; undefined if it is. */
export function roomProblem(name: string, maxChars = ROOM_MAX_CHARS): RoomProblem | undefined {
  if (name === '') return 'empty'
  const [wrong] = NOT_IN_ROOMS.exec(name.replaceAll(JOINERS, '')) ?? []
  if (wrong !== undefined) return { wrong }
  if (name.length > maxChars) return 'too long'
  return /^\p{M}/u.test(name) || hasInvisible(name) || hasStackedMarks(name) ? 'unusual' : undefined
}
