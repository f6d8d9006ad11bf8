/**
 * One signed-in user: the chat client, its state as signals, and the user's rooms. Ends with `close`. Another
 * user gets another session.
 */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import {
  type Author,
  type ChatClient,
  ChatError,
  type ChatState,
  type ConnectionState,
  connectChat,
  indexedDbStorage,
  type PendingStorage,
} from '../../client/index.ts'
import { pageBase, serverPlace, storagePrefix } from '../app/base.ts'
import { errorText } from '../app/error-text.ts'
import { type Identity, storeOf } from './identity.ts'
import type { KnownPeople } from './known-people.ts'
import { ShownState } from './shown-state.ts'
import { type ReceivedMessage, UserRooms } from './user-rooms.ts'

export interface SessionOptions {
  readonly identity: Identity
  readonly people: KnownPeople
  /** The server has accepted the user. */
  readonly admitted: (user: Author) => void
  readonly messageReceived: (message: ReceivedMessage) => void
  /** The user has left a room in another tab. */
  readonly leftElsewhere: (room: string) => void
  /** Reports an error to the user. `detail`: the technical message. */
  readonly showError: (text: string, detail: string) => void
}

export class Session {
  readonly identity: Identity
  readonly chat: ChatClient
  readonly rooms: UserRooms
  readonly #me: Signal<Author>
  readonly #connection: Signal<ChatState>
  readonly #shownState = new ShownState(() => navigator.onLine)
  readonly #refusal = signal<ChatError | undefined>(undefined)
  readonly #isAdmitted = signal(false)
  readonly #showError: SessionOptions['showError']

  constructor(options: SessionOptions) {
    const { identity, people, messageReceived, leftElsewhere } = options
    this.identity = identity
    this.#showError = options.showError
    this.#me = signal<Author>(initialAuthor(identity))
    this.chat = connectChat({
      url: pageBase().href,
      ...serverPlace(),
      auth:
        identity.kind === 'token' ? { token: identity.token } : { name: identity.name, key: identity.key },
      storage: storageOf(identity),
    })
    this.#connection = signal<ChatState>(this.chat.state)
    const me = () => this.#me.peek()
    const failed = (error: unknown) => this.#failed(error)
    const shownState = this.#shownState.value
    this.rooms = new UserRooms({
      chat: this.chat,
      shownState,
      people,
      me,
      messageReceived,
      leftElsewhere,
      failed,
    })
    this.#listen(options)
  }

  /** As reported by the server; until then as stored. */
  get me(): ReadonlySignal<Author> {
    return this.#me
  }

  get connection(): ReadonlySignal<ChatState> {
    return this.#connection
  }

  /** The connection's state without short interruptions. */
  get shownState(): ReadonlySignal<ConnectionState> {
    return this.#shownState.value
  }

  /** Why the server has refused the user for good. The client does not retry by itself. */
  get refusal(): ReadonlySignal<ChatError | undefined> {
    return this.#refusal
  }

  /** The server has accepted the user at least once. */
  get isAdmitted(): ReadonlySignal<boolean> {
    return this.#isAdmitted
  }

  retry(): void {
    this.#refusal.value = undefined
    this.chat.connect()
  }

  /** Unsent messages stay stored. */
  async close(): Promise<void> {
    this.#shownState.close()
    this.rooms.close()
    await this.chat.close()
  }

  /** Also deletes unsent messages: nobody could send them any more. */
  async end(): Promise<void> {
    await this.close()
    const storage = storageOf(this.identity)
    for (const { id } of await storage.load()) await storage.delete(id)
  }

  #listen({ admitted }: SessionOptions): void {
    const { chat } = this
    chat.on('state', (state) => {
      this.#connection.value = state
      this.#shownState.update(state.state)
    })
    chat.on('user', (user) => {
      this.#me.value = user
      this.#refusal.value = undefined
      this.#isAdmitted.value = true
      admitted(user)
      void this.rooms.fetch()
    })
    chat.on('refused', (error, final) => {
      if (final) this.#refusal.value = error
    })
    chat.on('error', (error) => this.#failed(error))
    void chat.loaded().then(() => this.rooms.openPending())
  }

  #failed(error: unknown): void {
    const { code, message } = ChatError.from(error)
    // Shown by the connection's state already, or caused by closing.
    if (code === 'timeout' || code === 'offline' || code === 'closed') return
    this.#showError(errorText(code), message)
  }
}

function storageOf(identity: Identity): PendingStorage {
  return indexedDbStorage(storagePrefix() + storeOf(identity))
}

function initialAuthor(identity: Identity): Author {
  return identity.kind === 'guest' ? { id: identity.id ?? '', name: identity.name } : { id: '', name: '' }
}
