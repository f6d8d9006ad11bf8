/** The browser's notifications: for what speaks to the user while the page is not seen, and only when the user wants them. */
import { signal } from '@preact/signals'
import type { Kept } from '../session/identity.ts'

const NAME = 'rookery:notifications'
const TEXT_MAX_CHARS = 180

/** `blocked`: the user, or the browser, has said no for this page; `absent`: this browser has none here. */
export type NotificationState = 'on' | 'off' | 'blocked' | 'absent'

export interface Notice {
  readonly title: string
  readonly text: string
  /** A later one of the same place takes its place. */
  readonly place: string
  readonly open: () => void
}

export const notifications = signal<NotificationState>('off')

export function startNotifications(kept: Kept): void {
  if (typeof Notification === 'undefined' || !isSecureContext) notifications.value = 'absent'
  else if (Notification.permission === 'denied') notifications.value = 'blocked'
  else
    notifications.value = kept.getItem(NAME) === 'on' && Notification.permission === 'granted' ? 'on' : 'off'
}

export async function switchNotifications(on: boolean, kept: Kept): Promise<void> {
  if (notifications.value === 'absent') return
  if (!on) {
    kept.removeItem(NAME)
    notifications.value = 'off'
    return
  }
  const permission = await Notification.requestPermission()
  notifications.value = permission === 'granted' ? 'on' : permission === 'denied' ? 'blocked' : 'off'
  if (permission === 'granted') kept.setItem(NAME, 'on')
}

export function notify({ title, text, place, open }: Notice): void {
  if (notifications.value !== 'on' || document.visibilityState === 'visible') return
  try {
    const shown = new Notification(title, { body: text.slice(0, TEXT_MAX_CHARS), tag: place })
    shown.addEventListener('click', () => {
      window.focus()
      open()
      shown.close()
    })
  } catch {
    // Some phones have the interface and let only service workers use it.
    notifications.value = 'absent'
  }
}
