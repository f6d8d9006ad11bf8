/** A button with a menu. The menu stays within the window. Escape, a choice or a click outside closes it. */
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

interface MenuProps {
  readonly label: string
  /** Class of the button. */
  readonly class: string
  readonly button: ComponentChildren
  /** The button's content is its label. */
  readonly hasText?: boolean
  /** Not reachable with the Tab key. */
  readonly isPassedBy?: boolean
  readonly children: ComponentChildren
}

const GAP_PX = 6
const EDGE_PX = 8

export function Menu({
  label,
  class: buttonClass,
  button,
  hasText = false,
  isPassedBy = false,
  children,
}: MenuProps) {
  const id = useId()
  const opener = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [isOpen, setOpen] = useState(false)
  const toggled = () => setOpen(list.current?.matches(':popover-open') === true)
  useLayoutEffect(() => {
    if (!isOpen || opener.current === null || list.current === null) return
    placeMenu(list.current, opener.current)
    itemsOf(list.current)[0]?.focus()
  }, [isOpen])
  const chosen = (event: MouseEvent) => {
    const item = event.target instanceof Element ? event.target.closest('[role^=menuitem]') : null
    if (item !== null && item.getAttribute('aria-disabled') !== 'true') list.current?.hidePopover()
  }
  return (
    <>
      <button
        ref={opener}
        type="button"
        class={buttonClass}
        aria-label={hasText ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        popovertarget={id}
        tabIndex={isPassedBy ? -1 : undefined}
      >
        {button}
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        onToggle={toggled}
        onClick={chosen}
        onKeyDown={moveFocus}
      >
        {isOpen && children}
      </div>
    </>
  )
}

interface ItemProps {
  readonly icon: ComponentChildren
  readonly onChoose: () => void
  /** For a radio item: whether it is the selected one. */
  readonly isChecked?: boolean
  readonly isDangerous?: boolean
  readonly children: ComponentChildren
}

export function MenuItem({ icon, onChoose, isChecked, isDangerous = false, children }: ItemProps) {
  return (
    <button
      type="button"
      class={isDangerous ? 'menu-item menu-item-danger' : 'menu-item'}
      role={isChecked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={isChecked}
      tabIndex={-1}
      onClick={onChoose}
    >
      {icon}
      <span>{children}</span>
    </button>
  )
}

/** Places the menu at the side of the button with enough space. */
function placeMenu(list: HTMLElement, opener: HTMLElement): void {
  const at = opener.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = list
  const isRightToLeft = getComputedStyle(opener).direction === 'rtl'
  const wanted = isRightToLeft ? at.right - width : at.left
  const fitsThere = wanted >= EDGE_PX && wanted + width <= innerWidth - EDGE_PX
  const left = fitsThere ? wanted : isRightToLeft ? at.left : at.right - width
  const below = at.bottom + GAP_PX
  const top = below + height <= innerHeight - EDGE_PX ? below : at.top - GAP_PX - height
  list.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`
  list.style.top = `${Math.max(EDGE_PX, top)}px`
}

function itemsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('[role^=menuitem]')]
}

function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = itemsOf(event.currentTarget)
  const at = items.findIndex((item) => item === document.activeElement)
  const next = nextIndex(event.key, at, items.length)
  if (next === undefined) return
  event.preventDefault()
  items[next]?.focus()
}

function nextIndex(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowDown') return (at + 1) % count
  if (key === 'ArrowUp') return (at - 1 + count) % count
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return undefined
}
