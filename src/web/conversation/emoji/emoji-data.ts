/** The list of emoji, fetched when it is first needed: most visits never open it. */
import { type Emoji, emojiOf } from './emoji.ts'

let loaded: Promise<readonly Emoji[]> | undefined

export function loadEmoji(): Promise<readonly Emoji[]> {
  loaded ??= import('./emoji-list.txt?raw').then(
    ({ default: list }) => emojiOf(list),
    (error: unknown) => {
      // The next who asks tries again.
      loaded = undefined
      throw error
    },
  )
  return loaded
}
