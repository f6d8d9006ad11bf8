/**
 * A button that copies a text and confirms it. If copying is not allowed, the user can select the text
 * instead.
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { usePage } from '../app/page.ts'
import { copyText } from '../components/clipboard.ts'
import { CheckIcon, CopyIcon } from '../components/icons.tsx'

interface CopyButtonProps {
  readonly text: () => string
  readonly class?: string
  readonly children: ComponentChildren
}

const SHOWN_MS = 2_000

export function CopyButton({ text, class: buttonClass = 'button button-small', children }: CopyButtonProps) {
  const page = usePage()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return undefined
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [isCopied])
  const copy = async () => {
    const done = await copyText(text())
    setCopied(done)
    page.showToast(done ? 'Copied' : 'Your browser blocks copying: select the text and copy it.')
  }
  return (
    <button type="button" class={buttonClass} onClick={() => void copy()}>
      {isCopied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
      {isCopied ? 'Copied' : children}
    </button>
  )
}
