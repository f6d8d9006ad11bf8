/** People that the server finds while the user types. */
import { useEffect, useState } from 'preact/hooks'
import type { Author } from '../../client/index.ts'

/** The server is asked when the user has not typed for so long. */
const TYPED_MS = 150

/**
 * What was found for an earlier text stays until there is something newer, so it may not match.
 * @param search empty: nothing is searched
 * @param ask the same function as long as it asks the same
 */
export function useFound<T extends Author>(
  search: string,
  ask: (search: string) => Promise<readonly T[]>,
): readonly T[] {
  const [found, setFound] = useState<readonly T[]>([])
  const wanted = search.trim()
  useEffect(() => {
    if (wanted === '') return setFound([])
    let isCurrent = true
    const shown = (people: readonly T[]) => {
      if (isCurrent) setFound(people)
    }
    // Without the server's answer there is what the page knows.
    const timer = setTimeout(() => void ask(wanted).then(shown, () => shown([])), TYPED_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [wanted, ask])
  return found
}
