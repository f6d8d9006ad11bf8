/** Whether somebody looks at the page. */

export function isPageFocused(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

/** @returns what ends it */
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

/** A device that is mainly touched: Enter makes a line there, and no field takes the focus by itself. */
export function isTouchDevice(): boolean {
  return coarse.matches
}

const coarse = matchMedia('(pointer: coarse)')
