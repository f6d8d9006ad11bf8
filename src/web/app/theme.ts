/** The colour scheme: light, dark or the system's. Stored for the next visit. */
import { signal } from '@preact/signals'
import type { KeyValueStorage } from '../session/identity.ts'

export type Theme = 'auto' | 'light' | 'dark'

const STORAGE_KEY = 'rookery:theme'

export const theme = signal<Theme>('auto')

/** Must be called before the first render. */
export function startTheme(storage: KeyValueStorage): void {
  const value = storage.getItem(STORAGE_KEY)
  show(value === 'light' || value === 'dark' ? value : 'auto')
}

export function chooseTheme(chosen: Theme, storage: KeyValueStorage): void {
  show(chosen)
  if (chosen === 'auto') storage.removeItem(STORAGE_KEY)
  else storage.setItem(STORAGE_KEY, chosen)
}

function show(chosen: Theme): void {
  theme.value = chosen
  if (chosen === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    meta.media = mediaOf(meta.content === LIGHT_GROUND ? 'light' : 'dark', chosen)
  }
}

/** The light theme colour in index.html, which phones use around the page. */
const LIGHT_GROUND = '#f5f0e6'

function mediaOf(its: 'light' | 'dark', chosen: Theme): string {
  if (chosen === 'auto') return `(prefers-color-scheme: ${its})`
  return chosen === its ? 'all' : 'not all'
}
