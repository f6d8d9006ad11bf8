/** What people are called with whom the user talks alone: such rooms are named after them. Bounded; kept over a reload. */
import type { Author } from '../../client/index.ts'
import type { Kept } from './identity.ts'

const NAME = 'rookery:people'
const MAX = 500

export class People {
  readonly #kept: Kept
  readonly #names: Map<string, string>
  #isKept = true

  constructor(kept: Kept) {
    this.#kept = kept
    this.#names = new Map(namesOf(kept.getItem(NAME)))
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id)
  }

  /** @returns whether that is news */
  met({ id, name }: Author): boolean {
    if (this.#names.get(id) === name) return false
    this.#isKept = false
    this.#names.delete(id)
    this.#names.set(id, name)
    const [oldest] = this.#names.keys()
    if (this.#names.size > MAX && oldest !== undefined) this.#names.delete(oldest)
    return true
  }

  /** Costs nothing while there is no news. */
  keep(): void {
    if (this.#isKept) return
    this.#isKept = true
    this.#kept.setItem(NAME, JSON.stringify([...this.#names]))
  }
}

function namesOf(kept: string | null): [string, string][] {
  const value: unknown = parsed(kept)
  return Array.isArray(value) ? value.filter(isPair).slice(-MAX) : []
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string'
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '[]')
  } catch {
    // Written by something else; as good as nothing.
    return []
  }
}
