/** Refusal codes of the append script, with the error for the caller. */
import { RookeryError } from '../../wire/errors.ts'

const refusals = {
  conflict: ['conflict', 'this id was used for another message'],
  no_target: ['not_found', 'the target does not exist or is not kept any more'],
  not_a_text: ['forbidden', 'the target is not a text'],
  not_the_author: ['forbidden', 'the target is of another author'],
  removed: ['not_found', 'the target has been removed'],
} as const

export type RefusalCode = keyof typeof refusals

export const appendCodes = ['stored', 'duplicate', ...(Object.keys(refusals) as RefusalCode[])] as const

export function refusal(code: RefusalCode): RookeryError {
  const [error, message] = refusals[code]
  return new RookeryError(error, message)
}
