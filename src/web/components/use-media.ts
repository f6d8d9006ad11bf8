/** Whether a media query matches, updated on changes. */
import { useEffect, useState } from 'preact/hooks'

/** Width for the list beside the conversation. The stylesheets use the same value. */
export const TWO_PANES = '(min-width: 720px)'
/** Width for the list, the conversation and the members. The stylesheets use the same value. */
export const THREE_PANES = '(min-width: 1100px)'

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const changed = () => setMatches(list.matches)
    changed()
    list.addEventListener('change', changed)
    return () => list.removeEventListener('change', changed)
  }, [query])
  return matches
}
