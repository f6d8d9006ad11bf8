/**
 * A modal dialog. Escape, its button or a click outside closes it; then the focus returns to where it was.
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { CloseIcon } from './icons.tsx'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  /** `sheet`: at the side of the window, or at the bottom on a phone. */
  readonly shape?: 'window' | 'sheet'
  readonly children: ComponentChildren
}

export function Dialog({ title, onClose, shape = 'window', children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    ref.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const closeBeside = (event: MouseEvent) => {
    if (event.target === ref.current) onClose()
  }
  return (
    <dialog
      ref={ref}
      class={`dialog dialog-${shape}`}
      aria-labelledby={id}
      onClose={onClose}
      onClick={closeBeside}
    >
      <div class="dialog-content">
        <header class="dialog-header">
          <h2 id={id} class="dialog-title">
            {title}
          </h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <CloseIcon />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
