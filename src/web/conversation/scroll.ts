/**
 * Where the timeline stands: at its end, and then it stays there whatever comes, or elsewhere. Only the user leaves the end:
 * what grows below or above never does.
 */
import type { VirtualizerHandle } from 'virtua'

const END_PX = 32
/** Older messages are fetched before the user sees the top. */
const NEAR_TOP_PX = 1_200

export class Scroll {
  #element: HTMLElement | null = null
  #top = 0
  #isAtEnd = true
  #wasMoved = false

  attach(element: HTMLElement | null): void {
    this.#element = element
    this.toEnd()
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** The user has left the end since it was opened. */
  get wasMoved(): boolean {
    return this.#wasMoved
  }

  get isNearTop(): boolean {
    return this.#element !== null && this.#element.clientHeight > 0 && this.#element.scrollTop < NEAR_TOP_PX
  }

  /** It has been scrolled. */
  moved(): void {
    const element = this.#element
    if (element === null) return
    const { scrollTop } = element
    const left = element.scrollHeight - scrollTop - element.clientHeight
    if (left <= END_PX) this.#isAtEnd = true
    else if (scrollTop < this.#top) {
      this.#isAtEnd = false
      this.#wasMoved = true
    }
    this.#top = scrollTop
  }

  keepEnd(): void {
    if (this.#isAtEnd) this.toEnd()
  }

  toEnd(): void {
    this.#isAtEnd = true
    const element = this.#element
    if (element === null) return
    element.scrollTop = element.scrollHeight
    this.#top = element.scrollTop
  }

  /** The last row of the list that is in sight. */
  lastRowIn(list: VirtualizerHandle | null): number {
    return list === null ? -1 : list.findItemIndex(list.scrollOffset + list.viewportSize - END_PX)
  }
}
