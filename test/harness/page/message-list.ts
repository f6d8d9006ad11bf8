/** The list of messages as its reader has it: what is in sight and where, once the list has come to rest. */
import type { Person } from './person.ts'

/**
 * A row that was not shown before is measured where nobody sees it yet, and what is in sight is moved back to its place; rows
 * around it follow when scrolling has ended. Until then a message is not where it will be, or not in the page at all.
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

const IN_SIGHT = `(() => {
  const log = document.querySelector('[role=log]')
  const { top, bottom } = log.getBoundingClientRect()
  return [...log.querySelectorAll('.message-text')]
    .map((text) => ({ text, box: text.getBoundingClientRect() }))
    .filter(({ box }) => box.bottom > top && box.top < bottom)
    .map(({ text, box }) => [text.textContent, box.top - top])
})()`

/** The words of each message and how far below the upper edge of the list they begin, from top to bottom. */
export type Sight = ReadonlyMap<string, number>

/** From then on nothing moves unless something comes or somebody scrolls. */
export async function untilAtRest({ page }: Person): Promise<void> {
  await page.evaluate(REST)
}

/** What is read, when the list is at rest. */
export async function sightOf(person: Person): Promise<Sight> {
  await untilAtRest(person)
  return new Map(await person.page.evaluate<[string, number][]>(IN_SIGHT))
}

/** The furthest that anything of `before` has moved; what is out of sight has moved without end. */
export function movedBetween(before: Sight, after: Sight): number {
  if (before.size === 0) throw new Error('nothing was in sight')
  const ways = [...before].map(([text, top]) => Math.abs((after.get(text) ?? Number.POSITIVE_INFINITY) - top))
  return Math.max(...ways)
}
