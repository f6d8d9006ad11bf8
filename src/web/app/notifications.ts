/** Browser notifications for personal messages while the page is hidden, if the user has turned them on. */
import { signal } from '@preact/signals'
import { beginningOf } from '../conversation/characters.ts'
import type { KeyValueStorage } from '../session/identity.ts'
import { isVisibleElsewhere } from './visible-tabs.ts'

const STORAGE_KEY = 'rookery:notifications'
const TEXT_MAX_CHARS = 180

/** `blocked`: denied by the user or the browser; `absent`: not supported here. */
export type NotificationState = 'on' | 'off' | 'blocked' | 'absent'

export interface Notice {
  readonly title: string
  readonly text: string
  /** A later notification with the same tag replaces this one. */
  readonly tag: string
  /** Whose notice it is. Nothing is shown while this user looks at the page in another tab. */
  readonly user: string
  readonly open: () => void
}

export const notifications = signal<NotificationState>('off')

export function startNotifications(storage: KeyValueStorage): void {
  if (typeof Notification === 'undefined' || !isSecureContext) notifications.value = 'absent'
  else if (Notification.permission === 'denied') notifications.value = 'blocked'
  else
    notifications.value =
      storage.getItem(STORAGE_KEY) === 'on' && Notification.permission === 'granted' ? 'on' : 'off'
}

export async function switchNotifications(on: boolean, storage: KeyValueStorage): Promise<void> {
  if (notifications.value === 'absent') return
  if (!on) {
    storage.removeItem(STORAGE_KEY)
    notifications.value = 'off'
    return
  }
  const permission = await Notification.requestPermission()
  notifications.value = permission === 'granted' ? 'on' : permission === 'denied' ? 'blocked' : 'off'
  if (permission === 'granted') storage.setItem(STORAGE_KEY, 'on')
}

export async function notify({ title, text, tag, user, open }: Notice): Promise<void> {
  if (notifications.value !== 'on' || document.visibilityState === 'visible') return
  if (await isVisibleElsewhere(user)) return
  try {
    const shown = new Notification(title, { body: beginningOf(text, TEXT_MAX_CHARS), tag })
    shown.addEventListener('click', () => {
      window.focus()
      open()
      shown.close()
    })
  } catch {
    // Some phones define `Notification` but allow it only in service workers.
    notifications.value = 'absent'
  }
}
