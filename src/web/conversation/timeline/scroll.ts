/**
 * Where the timeline stands: at its end, and then it stays there whatever comes, or elsewhere. Only the user leaves the end:
 * what grows or shrinks above and below never does.
 */
import type { VirtualizerHandle } from 'virtua'

const END_PX = 32
/** Older messages are fetched before the user sees the top. */
const NEAR_TOP_PX = 1_200
/** What moves so soon after a wheel, a finger or a key is the user's. */
const USER_SCROLL_MS = 400
const USER_SCROLL_EVENTS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const

export class ScrollTracker {
  #element: HTMLElement | null = null
  #top = 0
  #height = 0
  #shownHeight = 0
  #isAtEnd = true
  #wasMoved = false
  #touchedAt = Number.NEGATIVE_INFINITY

  /** @returns what ends it */
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

  /** The user has left the end since it was opened. */
  get wasMoved(): boolean {
    return this.#wasMoved
  }

  /** The user comes near the top, or all that there is does not fill the pane. */
  get wantsOlder(): boolean {
    const element = this.#element
    if (element === null || element.clientHeight === 0) return false
    return this.#isAtEnd
      ? element.scrollHeight <= element.clientHeight + END_PX
      : element.scrollTop < NEAR_TOP_PX
  }

  /** It has been scrolled, by whatever. */
  moved({ timeStamp }: Event): void {
    const element = this.#element
    if (element === null) return
    const { scrollTop, scrollHeight, clientHeight } = element
    const isResized = scrollHeight !== this.#height || clientHeight !== this.#shownHeight
    const isUsers = !isResized || timeStamp - this.#touchedAt < USER_SCROLL_MS
    const isUp = scrollTop < this.#top
    this.#note(element)
    if (scrollHeight - scrollTop - clientHeight <= END_PX) this.#isAtEnd = true
    else if (isUp && isUsers) this.leave()
    else this.keepEnd()
  }

  /** It stands somewhere else now. */
  leave(): void {
    this.#isAtEnd = false
    this.#wasMoved = true
  }

  keepEnd(): void {
    if (this.#isAtEnd) this.toEnd()
  }

  toEnd(): void {
    this.#isAtEnd = true
    const element = this.#element
    if (element === null) return
    element.scrollTop = element.scrollHeight
    this.#note(element)
  }

  /** The last row of the list that is in sight. */
  lastRowIn(list: VirtualizerHandle | null): number {
    return list === null ? -1 : list.findItemIndex(list.scrollOffset + list.viewportSize - END_PX)
  }

  #note({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void {
    this.#top = scrollTop
    this.#height = scrollHeight
    this.#shownHeight = clientHeight
  }
}
