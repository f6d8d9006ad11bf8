/** Whether the user is looking at the page. */

export function isPageFocused(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

/** @returns a function that unsubscribes */
export function onPageFocusChange(listener: () => void): () => void {
  window.addEventListener('focus', listener)
  window.addEventListener('blur', listener)
  document.addEventListener('visibilitychange', listener)
  return () => {
    window.removeEventListener('focus', listener)
    window.removeEventListener('blur', listener)
    document.removeEventListener('visibilitychange', listener)
  }
}

/** Mainly a touch device: there Enter starts a new line, and no field takes the focus by itself. */
export function isTouchDevice(): boolean {
  return coarse.matches
}

const coarse = matchMedia('(pointer: coarse)')
