/** The emoji list, loaded on first use, because most visits do not need it. */
import { type Emoji, emojiOf } from './emoji.ts'
import listUrl from './emoji-list.txt?url'

/** The server no longer has the list of this version of the page: it was upgraded long ago. */
export class ListGone extends Error {}

const NOT_FOUND = 404

let loaded: Promise<readonly Emoji[]> | undefined

export function loadEmoji(): Promise<readonly Emoji[]> {
  loaded ??= fetchList().catch((error: unknown) => {
    // Lets the next call try again.
    loaded = undefined
    throw error
  })
  return loaded
}

/** Not as a module: a browser may remember that a module could not be loaded, and says no reason. */
async function fetchList(): Promise<readonly Emoji[]> {
  const response = await fetch(listUrl)
  if (response.status === NOT_FOUND) throw new ListGone('the list is gone')
  if (!response.ok) throw new Error(`the list could not be loaded: ${response.status}`)
  return emojiOf(await response.text())
}
