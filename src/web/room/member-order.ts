/** Which of a room's members are listed, and in which order. Pure. */
import type { Author } from '../../client/index.ts'
import { peopleFound } from '../sidebar/people-search.ts'

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** The user first, then by name. */
export function sortedMembers(members: readonly Author[], myId: string): Author[] {
  return members.toSorted(
    (a, b) =>
      Number(b.id === myId) - Number(a.id === myId) ||
      names.compare(a.name, b.name) ||
      (a.id < b.id ? -1 : 1),
  )
}

/** The list and those that the server has found beside it, each once. */
export function withFound(list: readonly Author[], found: readonly Author[]): readonly Author[] {
  const listed = new Set(list.map(({ id }) => id))
  const more = found.filter(({ id }) => !listed.has(id))
  return more.length === 0 ? list : [...list, ...more]
}

export interface MembersView {
  readonly me: Author
  readonly filter: string
}

/** The user is in the room, also if the server's list, which ends somewhere, does not say so. */
export function membersShown(list: readonly Author[], { me, filter }: MembersView): Author[] {
  const isListed = list.length === 0 || list.some(({ id }) => id === me.id)
  const all = sortedMembers(isListed ? list : [...list, me], me.id)
  return filter.trim() === '' ? all : peopleFound(all, filter, all.length)
}
