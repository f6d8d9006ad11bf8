/** The message list as its reader sees it: what is visible and where, once it has stopped moving. */
import type { Person } from './person.ts'

/**
 * Resolves when the list is at rest: new rows are measured while hidden, then visible content is moved back
 * to its place, and the rows around it follow after scrolling. Until then a message may be elsewhere or
 * missing.
 */
const REST = `new Promise((resolve) => {
  const log = document.querySelector('[role=log]')
  const list = log.querySelector('.timeline-top + div')
  let before
  const look = () => {
    const rows = [...list.children]
    const isScrolled = list.style.pointerEvents === 'none'
    const isMeasured = rows.every(({ style }) => style.visibility !== 'hidden')
    const places = [log.scrollTop, log.scrollHeight, log.clientHeight, ...rows.map(({ style }) => style.top)]
    const now = isScrolled || !isMeasured ? undefined : places.join(' ')
    if (now !== undefined && now === before) return resolve()
    before = now
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})`

const VISIBLE_TEXTS = `(() => {
  const log = document.querySelector('[role=log]')
  const { top, bottom } = log.getBoundingClientRect()
  return [...log.querySelectorAll('.message-text')]
    .map((text) => ({ text, box: text.getBoundingClientRect() }))
    .filter(({ box }) => box.bottom > top && box.top < bottom)
    .map(({ text, box }) => [text.textContent, box.top - top])
})()`

/** Each visible text and its distance below the top of the list, in pixels, from top to bottom. */
export type VisibleTexts = ReadonlyMap<string, number>

/** Resolves when nothing moves any more, unless something arrives or the user scrolls. */
export async function untilAtRest({ page }: Person): Promise<void> {
  await page.evaluate(REST)
}

/** What is visible when the list is at rest. */
export async function visibleTexts(person: Person): Promise<VisibleTexts> {
  await untilAtRest(person)
  return new Map(await person.page.evaluate<[string, number][]>(VISIBLE_TEXTS))
}

/** The largest distance that anything of `before` has moved; Infinity if something is no longer visible. */
export function movedBetween(before: VisibleTexts, after: VisibleTexts): number {
  if (before.size === 0) throw new Error('nothing was in sight')
  const ways = [...before].map(([text, top]) => Math.abs((after.get(text) ?? Number.POSITIVE_INFINITY) - top))
  return Math.max(...ways)
}
