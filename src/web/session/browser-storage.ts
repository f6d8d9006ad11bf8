/** The browser's storage, or memory where the browser gives none: then a reload forgets, and all else goes on. */
import type { KeyValueStorage } from './identity.ts'

export function browserStorage(area: 'localStorage' | 'sessionStorage'): KeyValueStorage {
  try {
    const storage = window[area]
    storage.getItem('')
    return bounded(storage)
  } catch {
    // Forbidden by the user's settings.
    return inMemory()
  }
}

/** A storage that is full keeps what it has: nothing that the page keeps is worth more than that it goes on. */
function bounded(storage: Storage): KeyValueStorage {
  const memory = inMemory()
  return {
    getItem: (name) => memory.getItem(name) ?? storage.getItem(name),
    removeItem: (name) => {
      memory.removeItem(name)
      storage.removeItem(name)
    },
    setItem: (name, value) => {
      try {
        storage.setItem(name, value)
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
