/** The menu with all actions on a message: at the message, or a sheet from below on a phone. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Author, ChatMessage } from '../../../client/index.ts'
import { AtIcon, CopyIcon, EditIcon, PersonIcon, TrashIcon } from '../../components/icons.tsx'
import { isChangeable, type MessageActions } from './message-actions.ts'

export interface OpenMenu {
  readonly message: ChatMessage
  readonly anchor: Element
}

interface MessageMenuProps {
  readonly open: OpenMenu
  readonly me: Author
  readonly actions: MessageActions
  readonly close: () => void
}

const EDGE_PX = 8
const GAP_PX = 4

export function MessageMenu({ open: { message, anchor }, me, actions, close }: MessageMenuProps) {
  const menu = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = menu.current
    if (element === null) return undefined
    element.showPopover()
    placeMenu(element, anchor)
    element.querySelector('button')?.focus()
    return () => {
      const article = anchor.closest('article')
      if (element.contains(document.activeElement) && article instanceof HTMLElement)
        article.focus({ preventScroll: true })
    }
  }, [anchor])

  const isMine = message.from.id === me.id
  const canChange = isMine && isChangeable(message)
  const act = (action: () => void) => () => {
    close()
    action()
  }
  return (
    <div
      ref={menu}
      class="message-menu"
      popover="auto"
      role="menu"
      aria-label={`Message of ${message.from.name}`}
      onToggle={(event) => event.newState === 'closed' && close()}
      onKeyDown={(event) => pressedIn(event, close)}
    >
      {!isMine && <Item label="Reply" Icon={AtIcon} act={act(() => actions.reply(message))} />}
      {canChange && <Item label="Edit" Icon={EditIcon} act={act(() => actions.edit(message))} />}
      <Item label="Copy text" Icon={CopyIcon} act={act(() => actions.copy(message))} />
      {!isMine && (
        <Item
          label={`Message ${message.from.name}`}
          Icon={PersonIcon}
          act={act(() => actions.direct(message.from))}
        />
      )}
      {canChange && (
        <Item label="Remove…" Icon={TrashIcon} act={act(() => actions.remove(message))} isDanger />
      )}
    </div>
  )
}

interface ItemProps {
  readonly label: string
  readonly Icon: typeof CopyIcon
  readonly act: () => void
  readonly isDanger?: boolean
}

function Item({ label, Icon, act, isDanger = false }: ItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      class={isDanger ? 'message-menu-item message-menu-item-danger' : 'message-menu-item'}
      onClick={act}
    >
      <Icon size={18} />
      <span class="clipped">{label}</span>
    </button>
  )
}

function pressedIn(event: KeyboardEvent, close: () => void): void {
  const { currentTarget, key } = event
  if (!(currentTarget instanceof HTMLElement)) return
  const items = [...currentTarget.querySelectorAll<HTMLElement>('[role="menuitem"]')]
  const at = items.findIndex((item) => item === document.activeElement)
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }
  const to = steps[key]
  if (to !== undefined) items.at(to % items.length)?.focus()
  else if (key === 'Tab') close()
  else return
  event.preventDefault()
}

/**
 * Places the menu below the anchor, or above it if there is no space below. On narrow pages the stylesheet
 * makes it a sheet.
 */
function placeMenu(menu: HTMLElement, anchor: Element): void {
  const body = anchor.tagName === 'ARTICLE' ? anchor.querySelector('.message-body') : null
  const at = (body ?? anchor).getBoundingClientRect()
  const { width, height } = menu.getBoundingClientRect()
  const isRtl = getComputedStyle(anchor).direction === 'rtl'
  const fromRight = (body === null) !== isRtl
  const left = fromRight ? at.right - width : at.left
  const below = at.bottom + GAP_PX
  const top = below + height > innerHeight - EDGE_PX ? at.top - height - GAP_PX : below
  menu.style.setProperty(
    '--menu-left',
    `${Math.min(Math.max(EDGE_PX, left), innerWidth - width - EDGE_PX)}px`,
  )
  menu.style.setProperty(
    '--menu-top',
    `${Math.min(Math.max(EDGE_PX, top), innerHeight - height - EDGE_PX)}px`,
  )
}
