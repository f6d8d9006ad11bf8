/** Follows a media query. */
import { useEffect, useState } from 'preact/hooks'

/** There is room for the list beside the conversation; the stylesheets have the same widths. */
export const TWO_PANES = '(min-width: 720px)'
/** And for the people of the room beside both. */
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
