/** The emoji that the user has chosen last, newest first. Stored in this browser. */

const STORAGE_KEY = 'rookery.emoji'
const MAX = 16
/** Longer than any emoji. */
const CHAR_MAX = 40

export function recentEmoji(): readonly string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]')
    if (!Array.isArray(value)) return []
    return value
      .filter((char): char is string => typeof char === 'string' && char.length < CHAR_MAX)
      .slice(0, MAX)
  } catch {
    // No storage, or not written by this page: there are no recent ones.
    return []
  }
}

export function rememberEmoji(char: string): void {
  const chars = [char, ...recentEmoji().filter((known) => known !== char)].slice(0, MAX)
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(chars))
  } catch {
    // No storage, or it is full: only the list of recent emoji stays as it was.
  }
}
