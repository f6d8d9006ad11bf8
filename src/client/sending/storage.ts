/** Where what waits to be sent outlives the process. In Node.js the caller brings its own; this one outlives nothing. */

/** A send on its way, as it is kept. */
export interface Pending {
  /** Unique; the key. */
  id: string
  room: string
  kind: 'text' | 'edit' | 'remove'
  text?: string
  /** The sequence number of the text that an edit or a removal changes. */
  target?: number
  /** Unix milliseconds, for show. */
  at: number
  /** The order of sending. */
  order: number
  /** Id of the user who wrote it, once known: it is sent as no other. */
  user?: string
  /** It was refused for good. */
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
