/** The order of a room's members. Pure. */
import type { Author } from '../../client/index.ts'

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
