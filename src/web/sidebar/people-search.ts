/** Finds people by their names. Pure. */
import { type Author, bestMatches, foldedName } from '../../client/index.ts'

/**
 * The people that match: first those whose name begins with it, then those with a word that does, then the rest. Each
 * person once.
 * @param search an `@` at its beginning is ignored
 */
export function peopleFound(people: Iterable<Author>, search: string, max: number): Author[] {
  const wanted = foldedName(search.trim().replace(/^@/, ''))
  return bestMatches(eachOnce(people), { wanted, nameOf: ({ name }) => foldedName(name), max })
}

function* eachOnce(people: Iterable<Author>): Generator<Author> {
  const known = new Set<string>()
  for (const user of people) {
    if (known.has(user.id)) continue
    known.add(user.id)
    yield user
  }
}
