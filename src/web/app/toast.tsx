/** A toast: a short message, shown for some seconds and read out politely. */
import { useEffect } from 'preact/hooks'
import { usePage } from './page.ts'

const SHOWN_MS = 6_000

export function Toast() {
  const { toast } = usePage()
  const shown = toast.value
  useEffect(() => {
    if (shown === undefined) return undefined
    const timer = setTimeout(() => {
      toast.value = undefined
    }, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [shown, toast])
  return (
    <div class="toast-area" role="status" aria-live="polite">
      {shown !== undefined && (
        <p class="toast" title={shown.detail}>
          {shown.text}
        </p>
      )}
    </div>
  )
}
