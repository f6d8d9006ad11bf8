/**
 * The storage of pending messages. In Node.js the application brings its own; the default is lost with the
 * process.
 */

/** A pending message, as it is stored. */
export interface Pending {
  /** Unique; the key. */
  id: string
  room: string
  /** `text`, `edit`, `remove`, or a kind of the application. */
  kind: string
  text?: string
  /** Of an entry of the application's kind. */
  data?: unknown
  /** The sequence number of the text that an edit or a removal changes. */
  target?: number
  /** Unix milliseconds, for display only. */
  at: number
  /** Messages are sent in ascending order. */
  order: number
  /** Id of the author, once known: it is never sent as another user. */
  user?: string
  /** The final refusal. */
  failed?: { code: string; message: string; retryable: boolean }
}

export interface PendingStorage {
  load(): Promise<Pending[]>
  put(pending: Pending): Promise<void>
  delete(id: string): Promise<void>
}

export function memoryStorage(): PendingStorage {
  const kept = new Map<string, Pending>()
  return {
    load: async () => [...kept.values()],
    put: async (pending) => void kept.set(pending.id, { ...pending }),
    delete: async (id) => void kept.delete(id),
  }
}
