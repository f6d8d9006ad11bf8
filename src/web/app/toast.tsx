/** What is said once: shown for a while, and read out politely. */
import { useEffect } from 'preact/hooks'
import { usePage } from './page.ts'

const SHOWN_MS = 6_000

export function Announcer() {
  const { notice } = usePage()
  const said = notice.value
  useEffect(() => {
    if (said === undefined) return undefined
    const timer = setTimeout(() => {
      notice.value = undefined
    }, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [said, notice])
  return (
    <div class="announcer" role="status" aria-live="polite">
      {said !== undefined && (
        <p class="announcement" title={said.detail}>
          {said.text}
        </p>
      )}
    </div>
  )
}
