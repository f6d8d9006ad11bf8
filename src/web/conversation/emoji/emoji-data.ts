/** The emoji list, loaded on first use, because most visits do not need it. */
import { type Emoji, emojiOf } from './emoji.ts'

let loaded: Promise<readonly Emoji[]> | undefined

export function loadEmoji(): Promise<readonly Emoji[]> {
  loaded ??= import('./emoji-list.txt?raw').then(
    ({ default: list }) => emojiOf(list),
    (error: unknown) => {
      // Lets the next call try again.
      loaded = undefined
      throw error
    },
  )
  return loaded
}
