/** What stands in the tab. Pure. */

const SHOWN_MAX = 99

export function pageTitle(unread: number, place: string | undefined): string {
  const count = unread === 0 ? '' : `(${countText(unread)}) `
  return place === undefined ? `${count}Rookery` : `${count}${place} · Rookery`
}

export function countText(count: number): string {
  return count > SHOWN_MAX ? `${SHOWN_MAX}+` : String(count)
}
