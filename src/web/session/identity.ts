/**
 * Who the user of this page is, and where that is kept: a guest's name and secret key for good, a token for as long as the
 * tab. A window that was opened to be somebody else keeps a guest for the tab alone. Nothing here talks to a server.
 */
export interface Guest {
  readonly kind: 'guest'
  readonly name: string
  /** A secret: whoever has it is this user. */
  readonly key: string
  /** Where this user's pending messages are kept. */
  readonly store: string
  /** As the server said last. */
  readonly id?: string
}

export interface TokenHolder {
  readonly kind: 'token'
  readonly token: string
}

export type Identity = Guest | TokenHolder

/** What of the browser's `Storage` is used. */
export interface KeyValueStorage {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
  removeItem(name: string): void
}

const GUEST = 'rookery:guest'
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

  /** A token goes before a guest: it was brought on purpose. */
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

/** Where the pending messages of this user are kept: apart from any other user's. */
export function storeOf(identity: Identity): string {
  return identity.kind === 'guest' ? identity.store : `token-${subjectOf(identity.token) ?? 'unknown'}`
}

/** Whom a token says that it is for; nothing is proved by it. */
function subjectOf(token: string): string | undefined {
  try {
    const [, body = ''] = token.split('.')
    const claims: unknown = JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')))
    return isRecord(claims) && typeof claims.sub === 'string' ? claims.sub : undefined
  } catch {
    // No JSON Web Token as this page knows them; the server may know better.
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
    // Written by something else; as good as nothing.
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
