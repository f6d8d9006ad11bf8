/** Synchronizes the page with the browser window: address, connection, height, title and icon. */
import { effect } from '@preact/signals'
import plainIcon from '../icon.svg'
import dotIcon from '../icon-dot.svg'
import { roomTitle } from '../room/room-title.ts'
import { GUEST } from '../session/identity.ts'
import { unreadTotal } from '../sidebar/room-list-model.ts'
import { storagePrefix } from './base.ts'
import type { Page } from './page.ts'
import { pageTitle } from './page-title.ts'
import { tokenOfHash } from './route.ts'
import { showVisibleTab } from './visible-tabs.ts'

export function followWindow(page: Page): void {
  addEventListener('hashchange', () => {
    const token = takeToken()
    if (token !== undefined) page.enterWithToken(token)
    page.moved()
  })
  addEventListener('storage', ({ key, storageArea }) => {
    if (storageArea === localStorage && (key === storagePrefix() + GUEST || key === null))
      page.identityStored()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void page.session.peek()?.rooms.refresh()
  })
  effect(() => {
    const user = page.session.value?.me.value.id ?? ''
    return user === '' ? undefined : showVisibleTab(user)
  })
  addEventListener('online', () => page.session.peek()?.chat.connect())
  followHeight()
  effect(() => showTitle(page))
}

/** The token of a sign-in link. Removed from the address, so that no link and no history entry contains it. */
export function takeToken(): string | undefined {
  const token = tokenOfHash(location.hash)
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search)
  return token
}

/** A phone's keyboard covers part of the window without resizing it: fits the page into the rest. */
function followHeight(): void {
  const view = window.visualViewport
  if (view === null) return
  const show = () => {
    const covered = window.innerHeight - view.height > 80 && view.scale === 1
    const { style } = document.documentElement
    if (covered) style.setProperty('--height', `${Math.round(view.height)}px`)
    else style.removeProperty('--height')
    if (covered) window.scrollTo(0, 0)
  }
  view.addEventListener('resize', show)
}

function showTitle(page: Page): void {
  const items = page.session.value?.rooms.items.value ?? []
  const unread = unreadTotal(items)
  const room = page.session.value === undefined ? undefined : page.room.value
  document.title = pageTitle(unread, room === undefined ? undefined : roomTitle(items, room))
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  const icon = unread > 0 ? dotIcon : plainIcon
  if (link !== null && link.getAttribute('href') !== icon) link.href = icon
}
