/** Keeps pending messages in the browser, across reloads. */
import { createStore, del, set, setMany, type UseStore, values } from 'idb-keyval'
import type { Pending, PendingStorage } from './storage.ts'

/**
 * Browsers close or delete a database in the background, above all on phones: it is opened again, and what waits is
 * written again.
 * @param name one per user and server. Tabs with the same name share the pending messages; each is still sent
 * once.
 */
export function indexedDbStorage(name: string): PendingStorage {
  const open = () => createStore(`rookery:${name}`, 'pending')
  /** What should be stored. As many as wait to be sent. */
  const waiting = new Map<string, Pending>()
  let store = open()

  const withStore = async <T>(use: (opened: UseStore) => Promise<T>): Promise<T> => {
    const before = store
    try {
      return await use(before)
    } catch {
      if (store === before) store = open()
      await setMany(
        [...waiting].map(([id, pending]) => [id, pending]),
        store,
      )
      return await use(store)
    }
  }

  return {
    load: () => withStore(values<Pending>),
    put: (pending) => {
      waiting.set(pending.id, pending)
      return withStore((opened) => set(pending.id, pending, opened))
    },
    delete: (id) => {
      waiting.delete(id)
      return withStore((opened) => del(id, opened))
    },
  }
}
