/** The title of the browser tab. Pure. */

const SHOWN_MAX = 99

export function pageTitle(unread: number, title: string | undefined): string {
  const count = unread === 0 ? '' : `(${countText(unread)}) `
  return title === undefined ? `${count}Rookery` : `${count}${title} · Rookery`
}

export function countText(count: number): string {
  return count > SHOWN_MAX ? `${SHOWN_MAX}+` : String(count)
}
