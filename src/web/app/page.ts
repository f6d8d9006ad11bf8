/**
 * The state that the whole page shares: the session, the open room, the open dialog, the current toast.
 * Components show this state and call its methods; they do not call each other.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { type Author, directRoom, isDirect, isolated } from '../../client/index.ts'
import {
  type Guest,
  type Identities,
  type Identity,
  type KeyValueStorage,
  newGuest,
} from '../session/identity.ts'
import { KnownPeople } from '../session/known-people.ts'
import { Session } from '../session/session.ts'
import type { ReceivedMessage } from '../session/user-rooms.ts'
import { notify } from './notifications.ts'
import { hashOfRoom, roomOfHash } from './route.ts'

export type Dialog =
  | { readonly kind: 'connect' | 'invite' | 'rename' | 'token' | 'sign-out' }
  | { readonly kind: 'leave'; readonly room: string }

export interface ToastText {
  readonly text: string
  /** Shown as a tooltip. */
  readonly detail?: string
}

export interface PageOptions {
  readonly identities: Identities
  readonly storage: KeyValueStorage
}

const FIRST_ROOM = 'lobby'
const LAST_ROOM = 'rookery:room'

export class Page {
  readonly storage: KeyValueStorage
  readonly session = signal<Session | undefined>(undefined)
  readonly hash = signal(location.hash)
  readonly room: ReadonlySignal<string | undefined> = computed(() => roomOfHash(this.hash.value))
  readonly dialog = signal<Dialog | undefined>(undefined)
  /** Shown and read out once, then hidden after some seconds. */
  readonly toast = signal<ToastText | undefined>(undefined)
  /** The user has signed in before: the page does not wait for the server to show itself. */
  readonly hasEntered = signal(false)
  readonly #identities: Identities
  readonly #people: KnownPeople

  constructor({ identities, storage }: PageOptions) {
    this.#identities = identities
    this.storage = storage
    this.#people = new KnownPeople(storage)
  }

  /** Restores the identity of the last visit, or tries the token of a link. */
  start(token: string | undefined): void {
    if (token !== undefined) return this.enterWithToken(token)
    const identity = this.#identities.load()
    if (identity === undefined) return
    this.hasEntered.value = true
    this.enter(identity)
  }

  enterAsGuest(name: string): void {
    const known = this.session.peek()?.identity
    // A stored token would take precedence over the guest at the next visit.
    if (known?.kind === 'token') this.#identities.forget('token')
    this.enter(known?.kind === 'guest' ? { ...known, name: name.trim() } : newGuest(name, randomBytes))
  }

  /** Stored at once, so that a reload does not lose it. */
  enterWithToken(written: string): void {
    const identity: Identity = { kind: 'token', token: written.trim() }
    this.#identities.keep(identity)
    this.enter(identity)
  }

  enter(identity: Identity): void {
    void this.session.peek()?.close()
    this.session.value = new Session({
      identity,
      people: this.#people,
      admitted: (user) => this.#admitted(identity, user),
      messageReceived: (message) => this.#messageReceived(message),
      leftElsewhere: (room) => this.#closeRoom(room),
      showError: (text, detail) => this.showToast(text, detail),
    })
  }

  /** Returns to the sign-in page. A guest's key is lost for good. */
  async signOut(): Promise<void> {
    const session = this.session.peek()
    if (session === undefined) return
    this.#identities.forget(session.identity.kind)
    this.#toSignIn()
    try {
      await (session.identity.kind === 'guest' ? session.end() : session.close())
    } catch {
      this.showToast('Your unsent messages could not be deleted from this browser.')
    }
  }

  open(room: string): void {
    if (this.room.peek() === room) return
    location.hash = hashOfRoom(room)
  }

  /** Shows a toast if there can be no direct room with this user. */
  openDirect(user: Author): void {
    const me = this.session.peek()?.me.peek()
    const room = me === undefined ? undefined : directRoom(me.id, user.id)
    if (room === undefined) return this.showToast(`${user.name} can’t receive direct messages.`)
    this.#people.remember(user)
    this.open(room)
  }

  /** Shows the list of rooms, on pages too narrow for both. */
  showList(): void {
    location.hash = '#/'
  }

  async leave(room: string): Promise<void> {
    this.#closeRoom(room)
    try {
      await this.session.peek()?.rooms.leave(room)
    } catch {
      this.showToast(`The server did not confirm that you left ${room}. It may come back to your list.`)
    }
  }

  /** Another tab may have signed out, or changed the name. */
  identityStored(): void {
    const session = this.session.peek()
    const stored = this.#identities.load()
    if (stored?.kind === 'token' || session?.identity.kind === 'token') return
    if (stored === undefined) {
      if (session === undefined) return
      this.#toSignIn()
      void session.close()
    } else if (stored.key !== session?.identity.key || stored.name !== session.identity.name) {
      this.hasEntered.value = true
      this.enter(stored)
    }
  }

  showToast(text: string, detail?: string): void {
    this.toast.value = { text, ...(detail === undefined ? {} : { detail }) }
  }

  moved(): void {
    this.hash.value = location.hash
    const room = this.room.peek()
    if (room !== undefined) this.storage.setItem(LAST_ROOM, room)
  }

  /** The open room has another name than its address says. */
  replaceRoom(room: string): void {
    this.#replace(hashOfRoom(room))
  }

  /** Opens the last room, or the default room. */
  openFirst(): void {
    this.#replace(hashOfRoom(this.storage.getItem(LAST_ROOM) ?? FIRST_ROOM))
  }

  #admitted(identity: Identity, user: Author): void {
    if (identity.kind === 'guest') this.#identities.keep(withId(identity, user))
    if (this.hasEntered.peek()) return
    this.hasEntered.value = true
    if (this.room.peek() === undefined) this.#replace(hashOfRoom(FIRST_ROOM))
  }

  #messageReceived({ room, from, text = 'sent you a message', isPersonal }: ReceivedMessage): void {
    if (!isPersonal) return
    const title = isDirect(room) ? from.name : `${isolated(from.name)} in #${isolated(room)}`
    const user = this.session.peek()?.me.peek().id ?? ''
    void notify({ title, text, tag: room, user, open: () => this.open(room) })
  }

  #toSignIn(): void {
    this.hasEntered.value = false
    this.session.value = undefined
    this.dialog.value = undefined
    this.#replace('')
  }

  #closeRoom(room: string): void {
    if (this.room.peek() === room) this.#replace('#/')
  }

  #replace(hash: string): void {
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : hash)
    this.moved()
  }
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count))
}

function withId(identity: Guest, { id }: Author): Guest {
  return { ...identity, id }
}

const PageContext = createContext<Page | undefined>(undefined)
export const PageProvider = PageContext.Provider

export function usePage(): Page {
  const page = useContext(PageContext)
  if (page === undefined) throw new Error('drawn outside of the page')
  return page
}
