/** The names of people with direct rooms, which titles are made of. Bounded; stored across reloads. */
import type { Author } from '../../client/index.ts'
import type { KeyValueStorage } from './identity.ts'

const STORAGE_KEY = 'rookery:people'
const MAX = 500

export class KnownPeople {
  readonly #storage: KeyValueStorage
  readonly #names: Map<string, string>
  #isSaved = true

  constructor(storage: KeyValueStorage) {
    this.#storage = storage
    this.#names = new Map(namesOf(storage.getItem(STORAGE_KEY)))
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id)
  }

  /** The oldest first. */
  all(): Author[] {
    return [...this.#names].map(([id, name]) => ({ id, name }))
  }

  /** @returns whether the name is new */
  remember({ id, name }: Author): boolean {
    if (this.#names.get(id) === name) return false
    this.#isSaved = false
    this.#names.delete(id)
    this.#names.set(id, name)
    const [oldest] = this.#names.keys()
    if (this.#names.size > MAX && oldest !== undefined) this.#names.delete(oldest)
    return true
  }

  /** Does nothing if nothing has changed. */
  save(): void {
    if (this.#isSaved) return
    this.#isSaved = true
    this.#storage.setItem(STORAGE_KEY, JSON.stringify([...this.#names]))
  }
}

function namesOf(storage: string | null): [string, string][] {
  const value: unknown = parsed(storage)
  return Array.isArray(value) ? value.filter(isPair).slice(-MAX) : []
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string'
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '[]')
  } catch {
    // Not written by this page.
    return []
  }
}
