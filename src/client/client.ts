/**
 * The chat client: one connection, the joined rooms, and the messages that wait to be sent. Wires the parts
 * together. `close` leaves no timer, no listener and no connection behind.
 */
import type { ChatLimits, FoundPerson } from '../wire/chat.ts'
import type { Author } from '../wire/entry.ts'
import { type ChatState, ChatStateTracker } from './connection/chat-state.ts'
import { noop } from './connection/clock.ts'
import { Connection } from './connection/connection.ts'
import type { RoomSummary } from './connection/guards.ts'
import { foundPeople, isObject } from './connection/guards.ts'
import { RetryingRequests } from './connection/retrying-requests.ts'
import { Emitter } from './emitter.ts'
import { badAnswer, type ChatError, closed } from './errors.ts'
import { type ChatOptions, type Settings, settingsOf } from './options.ts'
import { ChatRoom } from './room/room.ts'
import type { RoomContext } from './room/room-context.ts'
import { RoomSummaries } from './room/room-summaries.ts'
import { ServerNames } from './room/server-names.ts'
import { Outbox } from './sending/outbox.ts'
import { PendingSends } from './sending/pending-sends.ts'
import { Persistence } from './sending/persistence.ts'
import { Sender } from './sending/sender.ts'

export interface ClientEvents {
  [event: string]: unknown[]
  state: [state: ChatState]
  /** The user's identity, as the server reports it. */
  user: [user: Author]
  limits: [limits: ChatLimits]
  /**
   * The summary of one of the user's rooms differs from what `rooms` or this event last reported. `from`: the
   * author of a new text in a direct room that is not joined here.
   */
  room: [summary: RoomSummary, from: Author | undefined]
  /** The server refuses this user. `final`: the client does not retry until `connect` is called. */
  refused: [error: ChatError, final: boolean]
  /** An error outside of the protocol: from the storage, the auth function or a listener. */
  error: [error: unknown]
}

/** Used until the server sends its limits. */
const MEMBERS_SHOWN_DEFAULT = 500

export class ChatClient {
  readonly #settings: Settings
  readonly #emitter: Emitter<ClientEvents>
  readonly #rooms = new Map<string, ChatRoom>()
  readonly #serverNames = new ServerNames()
  readonly #outbox: Outbox
  readonly #persistence: Persistence
  readonly #sends: PendingSends
  readonly #sender: Sender
  readonly #summaries: RoomSummaries
  readonly #connection: Connection
  readonly #requests: RetryingRequests
  readonly #state: ChatStateTracker
  #user: Author | undefined
  #limits: ChatLimits | undefined
  #closed = false
  readonly #loaded: Promise<void>

  constructor(options: ChatOptions) {
    this.#settings = settingsOf(options)
    const { clock, storage, backOff, ackTimeoutMs } = this.#settings
    this.#emitter = new Emitter((error) => this.#failed(error))
    this.#state = new ChatStateTracker(
      () => ({ isOpen: this.#connection.open, waiting: this.#outbox.waiting }),
      (state) => this.#emitter.emit('state', state),
    )
    this.#requests = new RetryingRequests({
      ...this.#settings,
      connection: () => this.#connection,
      isRefused: () => this.#state.isRefused,
    })
    this.#outbox = new Outbox(this.#settings)
    this.#persistence = new Persistence(storage, clock, (error) => this.#failed(error))
    this.#sends = this.#newSends()
    this.#sender = this.#newSender()
    this.#summaries = this.#newRoomSummaries()
    this.#connection = new Connection({
      url: options.url,
      namespace: options.namespace,
      auth: options.auth,
      socket: options.socket ?? {},
      clock,
      backOff,
      ackTimeoutMs,
      events: {
        opened: (user, limits) => this.#opened(user, limits),
        lost: (reason) => this.#lost(reason),
        refused: (error, final) => this.#userRefused(error, final),
        cluster: (degraded, reason) => this.#cluster(degraded, reason),
        event: (event, payload) => this.#event(event, payload),
        failed: (error) => this.#failed(error),
      },
    })
    this.#loaded = this.#load()
  }

  on<K extends keyof ClientEvents>(event: K, listener: (...args: ClientEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener)
  }

  get state(): ChatState {
    return this.#state.current
  }

  /** Undefined until the first connection. */
  get user(): Author | undefined {
    return this.#user
  }

  get limits(): ChatLimits | undefined {
    return this.#limits
  }

  get joined(): ReadonlyMap<string, ChatRoom> {
    return this.#rooms
  }

  /** Rooms with unsent messages, joined or not. They are sent once the room is joined. */
  get pendingRooms(): string[] {
    return [...new Set(this.#outbox.all().map(({ pending }) => pending.room))]
  }

  /** Resolves when the unsent messages of an earlier run are loaded. Rooms show them from then on. */
  loaded(): Promise<void> {
    return this.#loaded
  }

  /**
   * Returns the room at once. It is joined as soon as there is a connection, and again after each reconnect.
   */
  join(name: string): ChatRoom {
    if (this.#closed) throw closed('join')
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const room = new ChatRoom(name, this.#context())
    this.#rooms.set(name, room)
    return room
  }

  /**
   * Joins the direct room with a user; with the own id a room for notes. The server names the room. Rejects
   * like a request: with `bad_request` for what can't be an id.
   */
  direct(userId: string): Promise<ChatRoom> {
    return this.#requests.request('dm:open', { user: userId }, ({ room }) => {
      if (typeof room !== 'string') throw badAnswer('dm:open')
      return this.join(room)
    })
  }

  /**
   * People by a part of their name: those who are connected, then others whom the server knows at the moment.
   * At most 20. Asked once, since a user types on; rejects while there is no connection, and with `forbidden`
   * where the setting PEOPLE_SEARCH is off.
   */
  findPeople(search: string): Promise<FoundPerson[]> {
    return this.#connection.request('people:search', { search }, ({ people }) => foundPeople(people))
  }

  /**
   * The name of a room, however it was written: in lower case, unless the server has messages of before under the name as
   * it is. Rejects like a request.
   */
  roomName(written: string): Promise<string> {
    return this.#requests.request('room:history', { room: written, limit: 1 }, ({ room }) => {
      if (typeof room !== 'string') throw badAnswer('room:history')
      return room
    })
  }

  /** The user's rooms, whether joined here or not. From then on the `room` event reports changes. */
  rooms(): Promise<RoomSummary[]> {
    return this.#summaries.list()
  }

  /** Connects at once, for when the network is back or the reason of a refusal is gone. */
  connect(): void {
    this.#state.refused(undefined)
    this.#connection.connectNow()
    this.#state.update()
  }

  /** Unsent messages stay in the storage. Resolves when the storage has all of them. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#connection.close()
      this.#sender.close()
      for (const room of this.#rooms.values()) room.close()
      this.#rooms.clear()
      this.#sends.resolveAll()
      this.#requests.retryNow()
      this.#state.closed()
      this.#emitter.clear()
    }
    await this.#persistence.idle()
  }

  #newSends(): PendingSends {
    const { clock, name } = this.#settings
    return new PendingSends({
      outbox: this.#outbox,
      persistence: this.#persistence,
      clock,
      user: () => this.#user,
      guestName: name,
      changed: (room) => this.#sendsChanged(room),
      countChanged: () => this.#state.update(),
      pump: () => this.#sender.pump(),
    })
  }

  #newSender(): Sender {
    return new Sender({
      outbox: this.#outbox,
      clock: this.#settings.clock,
      connection: () => this.#connection,
      limits: () => this.#limits,
      canSend: (room) => this.#rooms.get(room)?.joined === true,
      changed: (room) => this.#sendsChanged(room),
      acked: (send) => {
        this.#sends.acked(send)
        this.#rooms.get(send.pending.room)?.acked()
      },
      refused: (send) => this.#sends.persistFailed(send),
      notJoined: (room) => this.#rooms.get(room)?.rejoin(),
    })
  }

  #newRoomSummaries(): RoomSummaries {
    return new RoomSummaries({
      fetch: (use) => this.#requests.request('rooms', {}, use),
      me: () => this.#user?.id,
      isJoined: (room) => this.#rooms.has(room),
      namesOf: (room) => {
        const joined = this.#serverNames.joinedAs(room, this.#rooms)
        return joined.length === 0 ? [room] : joined
      },
      updateJoined: (summary) => {
        const room = this.#rooms.get(summary.room)
        room?.applySummary(summary)
        return room !== undefined
      },
      changed: (summary, from) => this.#emitter.emit('room', summary, from),
      failed: (error) => this.#failed(error),
    })
  }

  #context(): RoomContext {
    const { clock, backOff } = this.#settings
    return {
      clock,
      backOff,
      bounds: this.#settings,
      outbox: this.#outbox,
      connection: () => this.#connection,
      user: () => this.#user,
      membersShown: () => this.#limits?.membersShown ?? MEMBERS_SHOWN_DEFAULT,
      sends: this.#sends,
      serverName: (room) => this.#serverNames.of(room),
      joinedAs: (room, serverName, head) => this.#joinedAs(room, serverName, head),
      request: (event, payload, use) => this.#requests.request(event, payload, use),
      ready: () => this.#sender.pump(),
      leave: (room) => this.#leave(room),
      unreadCount: (room) => this.#summaries.unreadCount(room),
      unreadChanged: (room) => this.#summaries.changed(room),
      refreshSummaries: () => this.#summaries.refresh(),
      failed: (error) => this.#failed(error),
    }
  }

  async #load(): Promise<void> {
    this.#outbox.restore(await this.#persistence.load())
    if (this.#closed) return
    this.#sends.claim()
    for (const room of this.#rooms.values()) room.changed()
    this.#sender.loaded()
    this.#state.update()
  }

  #opened(user: Author, limits: ChatLimits | undefined): void {
    this.#user = user
    this.#state.opened()
    this.#sends.claim()
    this.#emitter.emit('user', user)
    if (limits !== undefined) {
      this.#limits = limits
      this.#emitter.emit('limits', limits)
    }
    this.#state.update()
    for (const room of this.#pendingFirst()) room.opened()
    this.#summaries.refresh()
    this.#requests.retryNow()
  }

  /** The server serves joins in order, and not all at once: what waits to be sent should not wait for all rooms. */
  #pendingFirst(): ChatRoom[] {
    const pending = new Set(this.pendingRooms)
    const rooms = [...this.#rooms.values()]
    return [
      ...rooms.filter(({ name }) => pending.has(name)),
      ...rooms.filter(({ name }) => !pending.has(name)),
    ]
  }

  #lost(reason: string): void {
    this.#outbox.disconnected()
    for (const room of this.#rooms.values()) room.lost()
    this.#state.update(reason)
  }

  #userRefused(error: ChatError, final: boolean): void {
    this.#state.refused(final ? error : undefined)
    this.#state.update(error.message)
    this.#emitter.emit('refused', error, final)
  }

  #cluster(degraded: boolean, reason: string | undefined): void {
    if (!degraded) {
      this.#outbox.retryNow()
      this.#sender.pump()
    }
    this.#state.cluster(degraded, reason)
  }

  #event(event: string, payload: unknown): void {
    if (!isObject(payload) || typeof payload.room !== 'string') return
    const names = this.#serverNames.joinedAs(payload.room, this.#rooms)
    if (names.length === 0) this.#summaries.handle(event, payload)
    for (const name of names) this.#rooms.get(name)?.handle(event, payload)
  }

  #joinedAs(room: string, serverName: unknown, head: number): boolean {
    if (typeof serverName !== 'string' || !this.#serverNames.learn(room, serverName)) return false
    // What another spelling of the room has not got, the server will not push: it is in this answer.
    for (const name of this.#serverNames.joinedAs(serverName, this.#rooms)) {
      if (name !== room) this.#rooms.get(name)?.handle('gap', { to: head })
    }
    return true
  }

  async #leave(room: string): Promise<void> {
    this.#rooms.delete(room)
    this.#summaries.forget(room)
    this.#sends.discardRoom(room)
    const serverName = this.#serverNames.of(room)
    this.#serverNames.forget(room)
    // Under another spelling the user is still in it.
    if (this.#serverNames.joinedAs(serverName, this.#rooms).length > 0) return
    const isLeft = () => !this.#rooms.has(room)
    try {
      await this.#requests.request('room:leave', { room }, noop, isLeft)
    } catch (error) {
      // Joined again before the request was sent: nothing to report.
      if (isLeft()) throw error
    }
  }

  #sendsChanged(room: string): void {
    this.#sends.resolveFailed(room)
    this.#rooms.get(room)?.changed()
    this.#state.update()
  }

  /** An error thrown by an `error` listener is not reported again. */
  #failed(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    this.#emitter.emit('error', error)
    this.#failing = false
  }

  #failing = false
}

/** Connects, and stays connected until `close`. */
export function connectChat(options: ChatOptions): ChatClient {
  return new ChatClient(options)
}
