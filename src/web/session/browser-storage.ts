/**
 * The browser's storage, or memory where the browser provides none: then a reload loses the values. Names are
 * stored with a prefix.
 */
import type { KeyValueStorage } from './identity.ts'

export function browserStorage(area: 'localStorage' | 'sessionStorage', prefix: string): KeyValueStorage {
  try {
    const storage = window[area]
    storage.getItem('')
    return bounded(storage, prefix)
  } catch {
    // Blocked by the browser's settings.
    return inMemory()
  }
}

/** Falls back to memory for values that a full storage rejects. */
function bounded(storage: Storage, prefix: string): KeyValueStorage {
  const memory = inMemory()
  return {
    getItem: (name) => memory.getItem(name) ?? storage.getItem(prefix + name),
    removeItem: (name) => {
      memory.removeItem(name)
      storage.removeItem(prefix + name)
    },
    setItem: (name, value) => {
      try {
        storage.setItem(prefix + name, value)
        memory.removeItem(name)
      } catch {
        memory.setItem(name, value)
      }
    },
  }
}

function inMemory(): KeyValueStorage {
  const values = new Map<string, string>()
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  }
}
