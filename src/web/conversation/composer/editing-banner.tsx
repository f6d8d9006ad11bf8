/** Shown above the field while a message is edited. */
import { CloseIcon, EditIcon } from '../../components/icons.tsx'

export function EditingBanner({ cancel }: { readonly cancel: () => void }) {
  return (
    <div class="composer-banner">
      <EditIcon size={16} />
      <span>Editing message</span>
      <span class="composer-hint">Esc to cancel</span>
      <button
        type="button"
        class="icon-button icon-button-small"
        aria-label="Cancel editing"
        onClick={cancel}
      >
        <CloseIcon size={16} />
      </button>
    </div>
  )
}
