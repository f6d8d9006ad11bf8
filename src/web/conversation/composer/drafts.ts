/** Unsent drafts by room, stored for the tab. */

const PREFIX = 'rookery.draft.'
/** Fallback for browsers without storage. */
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
    // No storage, or it is full: the draft lives as long as the page. Nothing is lost yet, so nothing is
    // reported.
    return null
  }
}
