/** Light, dark, or as the system has it; kept for the next visit. */
import { signal } from '@preact/signals'
import type { Kept } from './identity.ts'

export type Theme = 'auto' | 'light' | 'dark'

const NAME = 'rookery:theme'

export const theme = signal<Theme>('auto')

/** To be called before anything is drawn. */
export function startTheme(kept: Kept): void {
  const value = kept.getItem(NAME)
  show(value === 'light' || value === 'dark' ? value : 'auto')
}

export function chooseTheme(chosen: Theme, kept: Kept): void {
  show(chosen)
  if (chosen === 'auto') kept.removeItem(NAME)
  else kept.setItem(NAME, chosen)
}

function show(chosen: Theme): void {
  theme.value = chosen
  if (chosen === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
}
