/** What is said once: shown for a while, and read out politely. */
import { useEffect } from 'preact/hooks'
import { usePage } from './page.ts'

const SHOWN_MS = 6_000

export function Announcer() {
  const { notice } = usePage()
  const text = notice.value
  useEffect(() => {
    if (text === '') return undefined
    const timer = setTimeout(() => {
      notice.value = ''
    }, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [text, notice])
  return (
    <div class="announcer" role="status" aria-live="polite">
      {text !== '' && <p class="announcement">{text}</p>}
    </div>
  )
}
