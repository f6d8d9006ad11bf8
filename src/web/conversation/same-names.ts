/** People with the same name: the page shows a part of their ids. Pure. */
import type { Author } from '../../client/index.ts'

const SHOWN_CHARS = 4

/** The ids of people whose name somebody else has too. */
export function sameNames(people: Iterable<Author>): ReadonlySet<string> {
  const ids = new Map<string, Set<string>>()
  for (const { id, name } of people) {
    const folded = foldedName(name)
    const known = ids.get(folded)
    if (known === undefined) ids.set(folded, new Set([id]))
    else known.add(id)
  }
  return new Set([...ids.values()].filter(({ size }) => size > 1).flatMap((same) => [...same]))
}

/** Tells people with the same name apart. */
export function shortId(id: string): string {
  return id.slice(-SHOWN_CHARS)
}

/** Names that look the same to most people. */
function foldedName(name: string): string {
  return name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLocaleLowerCase()
}
