/** People whose names are the same or look alike: the page shows a part of their ids. Pure. */
import type { Author } from '../../client/index.ts'

/** The same for names that are drawn alike, in whatever letters. */
export type Skeleton = (name: string) => string

/** Parts of ids, by the id. */
export type ShortIds = ReadonlyMap<string, string>

/** As few as tell everybody apart who looks the same; else the whole id. */
const SHOWN_CHARS = [4, 6, 8, 12]

/** The end of the id of each person whose name looks like somebody else's. */
export function shortIds(people: Iterable<Author>, skeleton?: Skeleton): ShortIds {
  const idsByShape = new Map<string, Set<string>>()
  for (const { id, name } of people) {
    for (const shape of shapesOf(name, skeleton)) {
      const ids = idsByShape.get(shape)
      if (ids === undefined) idsByShape.set(shape, new Set([id]))
      else ids.add(id)
    }
  }
  const shown = new Map<string, string>()
  for (const ids of idsByShape.values()) {
    if (ids.size === 1) continue
    for (const [id, end] of endsOf([...ids])) {
      if (end.length > (shown.get(id) ?? '').length) shown.set(id, end)
    }
  }
  return shown
}

/** Without case, and without what is only another way to write the same characters. */
function shapesOf(name: string, skeleton: Skeleton | undefined): string[] {
  const same = folded(name)
  return skeleton === undefined ? [same] : [same, `alike ${folded(skeleton(name))}`]
}

function folded(name: string): string {
  return name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase()
}

function endsOf(ids: readonly string[]): Map<string, string> {
  for (const chars of SHOWN_CHARS) {
    const ends = new Map(ids.map((id) => [id, Array.from(id).slice(-chars).join('')]))
    if (new Set(ends.values()).size === ids.length) return ends
  }
  return new Map(ids.map((id) => [id, id]))
}

/** For a sentence: the people by their names, and by parts of their ids where these are needed. */
export function toldApart(people: readonly Author[], ids: ShortIds): Author[] {
  return people.map((user) => {
    const shortId = ids.get(user.id)
    return shortId === undefined ? user : { ...user, name: `${user.name} ${shortId}` }
  })
}
