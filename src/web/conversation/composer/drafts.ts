/** What has been written and not sent, by room, for as long as the tab lives. */

const PREFIX = 'rookery.draft.'
/** For where the browser allows no storage. */
const inMemory = new Map<string, string>()

export function draftOf(room: string): string {
  const memory = inMemory.get(room)
  if (memory !== undefined) return memory
  return stored(() => sessionStorage.getItem(PREFIX + room)) ?? ''
}

export function keepDraft(room: string, text: string): void {
  inMemory.set(room, text)
  stored(() => {
    if (text === '') sessionStorage.removeItem(PREFIX + room)
    else sessionStorage.setItem(PREFIX + room, text)
    return null
  })
}

function stored(access: () => string | null): string | null {
  try {
    return access()
  } catch {
    // No storage, or no room in it: the draft lives as long as the page, which is told nowhere because nothing is lost yet.
    return null
  }
}
