/** Whether the user is looking at this page in another tab: each visible tab holds a lock that the others can see. */

import { storagePrefix } from './base.ts'

const LOCK = `${storagePrefix()}rookery:visible:`

/**
 * Holds the lock while the tab is visible.
 * @param user whose page it is: tabs of other users do not count
 */
export function showVisibleTab(user: string): () => void {
  const locks = locksOf()
  let release: (() => void) | undefined
  const follow = () => {
    release?.()
    release = undefined
    if (document.visibilityState !== 'visible' || locks === undefined) return
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    // Refused only where locks are not allowed: then each hidden tab notifies.
    locks.request(LOCK + user, { mode: 'shared' }, () => held).catch(() => undefined)
  }
  follow()
  document.addEventListener('visibilitychange', follow)
  return () => {
    document.removeEventListener('visibilitychange', follow)
    release?.()
  }
}

export async function isVisibleElsewhere(user: string): Promise<boolean> {
  try {
    const { held = [] } = (await locksOf()?.query()) ?? {}
    return held.some(({ name }) => name === LOCK + user)
  } catch {
    // Locks are not allowed here.
    return false
  }
}

/** Only in secure contexts, as notifications are. */
function locksOf(): LockManager | undefined {
  return 'locks' in navigator ? navigator.locks : undefined
}
