/** The page's words are English, and so are its dates and numbers, in the form that the user is used to. Pure. */

/** The user's kind of English; for others the one that writes dates and times as most of the world does. */
export function englishLocale(language: string): string {
  return /^en\b/i.test(language) ? language : 'en-GB'
}

const users = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions()

export const LOCALE = englishLocale(users.locale)

/** Whether the user's clock has 12 or 24 hours. */
export const HOUR_CYCLE = users.hourCycle

export function numberText(count: number): string {
  return count.toLocaleString(LOCALE)
}
