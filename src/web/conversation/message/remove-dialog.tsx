/** Asks before a message is removed, which can't be undone. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ChatMessage } from '../../../client/index.ts'

interface RemoveDialogProps {
  readonly message: ChatMessage
  readonly remove: () => void
  readonly close: () => void
}

export function RemoveDialog({ message, remove, close }: RemoveDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog
      ref={dialog}
      class="remove-dialog"
      aria-labelledby="remove-dialog-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="remove-dialog-body">
        <h2 id="remove-dialog-title">Remove this message?</h2>
        <p>Everyone will see that a message was removed, but not what it said. This can’t be undone.</p>
        <blockquote class="remove-dialog-text" dir="auto">
          {message.text}
        </blockquote>
        <div class="remove-dialog-buttons">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button button-danger" onClick={remove}>
            Remove
          </button>
        </div>
      </div>
    </dialog>
  )
}
