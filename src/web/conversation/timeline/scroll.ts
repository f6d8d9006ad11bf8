/**
 * Tracks the scroll position. At the end, the timeline stays there when content changes; only the user can
 * leave the end.
 */
import type { VirtualizerHandle } from 'virtua'

const END_PX = 32
const PLACED_PX = 2
/** Older messages are loaded before the user reaches the top. */
const NEAR_TOP_PX = 1_200
/** Scrolling within this time after user input counts as done by the user. */
const USER_SCROLL_MS = 400
const USER_SCROLL_EVENTS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const

export class ScrollTracker {
  #element: HTMLElement | null = null
  #top = 0
  #height = 0
  #shownHeight = 0
  #isAtEnd = true
  #wasMoved = false
  /** Where a scroll that was started by the page ends, while it is under way. */
  #placing: (() => number) | undefined
  #touchedAt = Number.NEGATIVE_INFINITY

  /** @returns a function that detaches */
  attach(element: HTMLElement | null): () => void {
    this.#element = element
    this.toEnd()
    const touched = ({ timeStamp }: Event) => {
      this.#touchedAt = timeStamp
    }
    for (const event of USER_SCROLL_EVENTS) element?.addEventListener(event, touched, { passive: true })
    return () => {
      for (const event of USER_SCROLL_EVENTS) element?.removeEventListener(event, touched)
      this.#element = null
    }
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** Whether the user has left the end since the room was opened. */
  get wasMoved(): boolean {
    return this.#wasMoved
  }

  /** Whether to load older messages: the user is near the top, or the content does not fill the pane. */
  get wantsOlder(): boolean {
    const element = this.#element
    if (element === null || element.clientHeight === 0) return false
    return this.#isAtEnd
      ? element.scrollHeight <= element.clientHeight + END_PX
      : element.scrollTop < NEAR_TOP_PX
  }

  /** Handles a scroll event, whatever caused it. */
  moved({ timeStamp }: Event): void {
    const element = this.#element
    if (element === null) return
    const { scrollTop, scrollHeight, clientHeight } = element
    const isResized = scrollHeight !== this.#height || clientHeight !== this.#shownHeight
    const isUsers = !isResized || timeStamp - this.#touchedAt < USER_SCROLL_MS
    const isUp = scrollTop < this.#top
    if (timeStamp - this.#touchedAt < USER_SCROLL_MS) this.#placing = undefined
    this.#note(element)
    if (this.isPlacing) return
    if (scrollHeight - scrollTop - clientHeight <= END_PX) this.#isAtEnd = true
    else if (isUp && isUsers) this.leave()
    else this.keepEnd()
  }

  /** The position is no longer the end. */
  leave(): void {
    this.#isAtEnd = false
    this.#wasMoved = true
  }

  /**
   * The page scrolls to another place than the end, which takes some frames.
   * @param target the distance from the top, as far as known by now
   */
  place(target: () => number): void {
    this.leave()
    this.#placing = target
  }

  /** Whether the page's own scroll is still under way: what is visible now is not what the user will see. */
  get isPlacing(): boolean {
    const element = this.#element
    if (this.#placing === undefined || element === null) return false
    const { scrollTop, scrollHeight, clientHeight } = element
    if (Math.abs(Math.min(this.#placing(), scrollHeight - clientHeight) - scrollTop) > PLACED_PX) return true
    this.#placing = undefined
    return false
  }

  keepEnd(): void {
    if (this.#isAtEnd) this.toEnd()
  }

  toEnd(): void {
    this.#isAtEnd = true
    this.#placing = undefined
    const element = this.#element
    if (element === null) return
    element.scrollTop = element.scrollHeight
    this.#note(element)
  }

  /** The first visible row, and how much of it is above the top, in pixels. */
  firstRowIn(list: VirtualizerHandle): { index: number; above: number } {
    const top = this.#element?.scrollTop ?? 0
    const index = list.findItemIndex(top)
    return { index, above: top - list.getItemOffset(index) }
  }

  /** Index of the last visible row. The list itself learns of a scroll only after this class. */
  lastRowIn(list: VirtualizerHandle | null): number {
    const element = this.#element
    if (list === null || element === null) return -1
    return list.findItemIndex(element.scrollTop + element.clientHeight - END_PX)
  }

  #note({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void {
    this.#top = scrollTop
    this.#height = scrollHeight
    this.#shownHeight = clientHeight
  }
}
