/**
 * The identity of the page's user and its storage. A guest's name and secret key are stored for good, a token
 * for the tab only. A page opened as another user stores its guest for the tab only. Talks to no server.
 */
export interface Guest {
  readonly kind: 'guest'
  readonly name: string
  /** Secret: it authenticates this guest. */
  readonly key: string
  /** The name of the store for this user's pending messages. */
  readonly store: string
  /** The id that the server last reported. */
  readonly id?: string
}

export interface TokenHolder {
  readonly kind: 'token'
  readonly token: string
}

export type Identity = Guest | TokenHolder

/** The part of the browser's `Storage` that is used. */
export interface KeyValueStorage {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
  removeItem(name: string): void
}

/** The name of the stored guest. */
export const GUEST = 'rookery:guest'
const TOKEN = 'rookery:token'
const KEY_BYTES = 24
const STORE_BYTES = 9

export class Identities {
  readonly #guests: KeyValueStorage
  readonly #tokens: KeyValueStorage

  constructor(storages: { guests: KeyValueStorage; tokens: KeyValueStorage }) {
    this.#guests = storages.guests
    this.#tokens = storages.tokens
  }

  /** A token takes precedence over a guest, because the user brought it on purpose. */
  load(): Identity | undefined {
    const token = this.#tokens.getItem(TOKEN)
    if (token !== null && token !== '') return { kind: 'token', token }
    return guestOf(this.#guests.getItem(GUEST))
  }

  keep(identity: Identity): void {
    if (identity.kind === 'token') return this.#tokens.setItem(TOKEN, identity.token)
    const { name, key, store, id } = identity
    this.#guests.setItem(GUEST, JSON.stringify({ name, key, store, id }))
  }

  forget(kind: Identity['kind']): void {
    if (kind === 'token') this.#tokens.removeItem(TOKEN)
    else this.#guests.removeItem(GUEST)
  }
}

export function newGuest(name: string, randomBytes: (count: number) => Uint8Array): Guest {
  const random = (count: number) => hex(randomBytes(count))
  return { kind: 'guest', name: name.trim(), key: random(KEY_BYTES), store: random(STORE_BYTES) }
}

/** The name of the store for this user's pending messages, separate for each user. */
export function storeOf(identity: Identity): string {
  return identity.kind === 'guest' ? identity.store : `token-${subjectOf(identity.token) ?? 'unknown'}`
}

/** The subject of a token. Not verified. */
function subjectOf(token: string): string | undefined {
  try {
    const [, body = ''] = token.split('.')
    const claims: unknown = JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')))
    return isRecord(claims) && typeof claims.sub === 'string' ? claims.sub : undefined
  } catch {
    // Not a JSON Web Token in a known form; the server may accept it.
    return undefined
  }
}

function guestOf(storage: string | null): Guest | undefined {
  const value = parsed(storage)
  if (!isRecord(value)) return undefined
  const { name, key, store, id } = value
  if (typeof name !== 'string' || typeof key !== 'string' || typeof store !== 'string') return undefined
  return { kind: 'guest', name, key, store, ...(typeof id === 'string' ? { id } : {}) }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    // Not written by this page.
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
