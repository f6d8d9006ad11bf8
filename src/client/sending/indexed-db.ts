/** Keeps pending sends in the browser, so that they outlive a reload. */
import { createStore, del, set, values } from 'idb-keyval'
import type { Pending, PendingStorage } from './storage.ts'

/** @param name one for each user and server: tabs of the same name share what waits, and each message still goes once */
export function indexedDbStorage(name: string): PendingStorage {
  const store = createStore(`rookery:${name}`, 'pending')
  return {
    load: () => values<Pending>(store),
    put: (pending) => set(pending.id, pending, store),
    delete: (id) => del(id, store),
  }
}
