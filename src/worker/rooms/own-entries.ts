/** Entries of an application's own kinds, checked before they go to the primary. */
import { randomUUID } from 'node:crypto'
import type { OwnEntry } from '../../wire/app.ts'
import { type MessageDraft, ownDraft } from '../../wire/entry.ts'
import { dataProblems, toData } from '../../wire/entry-data.ts'
import { RookeryError } from '../../wire/errors.ts'
import { validate } from '../../wire/validate.ts'

/** @throws `bad_request`, `too_large` */
export function draftOf(entry: MessageDraft | OwnEntry): MessageDraft {
  if (typeof entry !== 'object' || entry === null)
    throw new RookeryError('bad_request', 'entry: an object is expected')
  if ('text' in entry || 'target' in entry) return entry
  const { kind, from, id = randomUUID(), data } = entry
  const draft = { kind, from, id, ...(data !== undefined && { data: dataOf(data) }) }
  return validate(ownDraft, draft, 'entry')
}

function dataOf(value: unknown): unknown {
  const made = toData(value)
  if ('data' in made) return made.data
  throw new RookeryError(made.problem === 'large' ? 'too_large' : 'bad_request', dataProblems[made.problem])
}
