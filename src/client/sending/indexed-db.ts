/** Keeps pending messages in the browser, across reloads. */
import { createStore, del, set, values } from 'idb-keyval'
import type { Pending, PendingStorage } from './storage.ts'

/**
 * @param name one per user and server. Tabs with the same name share the pending messages; each is still sent
 * once.
 */
export function indexedDbStorage(name: string): PendingStorage {
  const store = createStore(`rookery:${name}`, 'pending')
  return {
    load: () => values<Pending>(store),
    put: (pending) => set(pending.id, pending, store),
    delete: (id) => del(id, store),
  }
}
