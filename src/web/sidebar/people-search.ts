/** Finds people by their names. Pure. */
import type { Author } from '../../client/index.ts'
import { foldedTitle } from './room-list-model.ts'

/**
 * The people that match: first those whose name begins with it, then those with a word that does, then the rest. Each
 * person once.
 * @param search an `@` at its beginning is ignored
 */
export function peopleFound(people: Iterable<Author>, search: string, max: number): Author[] {
  const wanted = foldedTitle(search.trim().replace(/^@/, ''))
  const found: Author[][] = [[], [], []]
  const known = new Set<string>()
  for (const user of people) {
    if (known.has(user.id)) continue
    known.add(user.id)
    const name = foldedTitle(user.name)
    if (name.startsWith(wanted)) found[0]?.push(user)
    else if (name.includes(`-${wanted}`)) found[1]?.push(user)
    else if (name.includes(wanted)) found[2]?.push(user)
  }
  return found.flat().slice(0, max)
}
