/**
 * The user's rooms, as the list shows them: unread counts, mentions, and who is online. Keeps the rooms
 * joined, so that this stays current. Renders and sends nothing.
 */
import { batch, type ReadonlySignal, signal } from '@preact/signals'
import type {
  Author,
  ChatClient,
  ChatMessage,
  ChatRoom,
  ConnectionState,
  LoggedMessage,
  Members,
  RoomSummary,
} from '../../client/index.ts'
import { directUsers } from '../../client/index.ts'
import { unreadMentions } from '../conversation/message/mentions.ts'
import { mentions } from '../conversation/message/tokens.ts'
import { notesTitle } from '../conversation/sentences.ts'
import { type RoomListItem, roomsToJoin } from '../sidebar/room-list-model.ts'
import type { KnownPeople } from './known-people.ts'
import { OtherTabs, type RoomNews } from './other-tabs.ts'
import { ShownMembers } from './shown-members.ts'
import { isConnected } from './shown-state.ts'

/** A new message by somebody else. */
export interface ReceivedMessage {
  readonly room: string
  readonly from: Author
  /** Unknown for a room that was not joined. */
  readonly text?: string
  /** A direct message, or one that mentions the user. */
  readonly isPersonal: boolean
}

export interface UserRoomsOptions {
  readonly chat: ChatClient
  /** The connection's state without short interruptions. */
  readonly shownState: ReadonlySignal<ConnectionState>
  readonly people: KnownPeople
  readonly me: () => { readonly id: string; readonly name: string }
  readonly messageReceived: (message: ReceivedMessage) => void
  /** The user has left a room in another tab. */
  readonly leftElsewhere: (room: string) => void
  readonly failed: (error: unknown) => void
}

interface OpenedRoom {
  readonly members: ShownMembers
  readonly stop: () => void
}

/** Rooms joined at once. The others are joined when they are opened. */
const JOINED_MAX = 50
const UPDATE_DELAY_MS = 50
const REFRESH_MS = 30_000

export class UserRooms {
  readonly items = signal<readonly RoomListItem[]>([])
  /** Ids of all members of the joined rooms. */
  readonly present = signal<ReadonlySet<string>>(new Set())
  /** Somebody else is or was in one of the rooms, or has written there. Stays true once set. */
  readonly hasCompany = signal(false)
  /** The server has sent the list at least once. */
  readonly isLoaded = signal(false)
  readonly #options: UserRoomsOptions
  readonly #summaries = new Map<string, RoomSummary>()
  readonly #openRooms = new Map<string, OpenedRoom>()
  readonly #changed = new Set<string>()
  readonly #itemByRoom = new Map<string, RoomListItem>()
  readonly #otherTabs: OtherTabs
  readonly #stopListening: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #fetchedAt = 0

  constructor(options: UserRoomsOptions) {
    this.#options = options
    const { chat, shownState, me } = options
    this.#otherTabs = new OtherTabs(
      () => me().id,
      (news) => this.#heard(news),
    )
    const stops = [
      chat.on('room', (summary, from) => this.#changedRoom(summary, from)),
      shownState.subscribe(() => this.#scheduleUpdate()),
      () => this.#otherTabs.close(),
    ]
    this.#stopListening = () => stops.forEach((stop) => stop())
  }

  /** Joins the room if needed. */
  open(name: string): ChatRoom {
    const room = this.#options.chat.join(name)
    if (!this.#openRooms.has(name)) this.#listen(room)
    return room
  }

  /** The members of a joined room, as they are shown. */
  membersOf({ name, members }: ChatRoom): Members {
    return this.#openRooms.get(name)?.members.value.value ?? members
  }

  /** Everybody who is known here and not the user: members and authors in the joined rooms, and people of direct rooms. */
  people(): Author[] {
    const { chat, people, me } = this.#options
    const members = [...this.#openRooms.values()].flatMap(({ members: { value } }) => value.peek().list)
    const authors = [...this.#openRooms.keys()].flatMap((name) =>
      authorsOf(chat.joined.get(name)?.messages ?? []),
    )
    const known = new Map([...people.all(), ...authors, ...members].map((user) => [user.id, user]))
    known.delete(me().id)
    return [...known.values()]
  }

  /** Fetches the user's rooms and joins them, up to the limit. Events update them from then on. */
  async fetch(): Promise<void> {
    if (this.isLoaded.peek()) return
    try {
      await this.#fetchAll()
      this.isLoaded.value = true
    } catch (error) {
      this.#options.failed(error)
    }
  }

  /** Fetches them again, because the user may have joined rooms on another device. Not more often than needed. */
  async refresh(): Promise<void> {
    const isDue = this.isLoaded.peek() && Math.abs(Date.now() - this.#fetchedAt) > REFRESH_MS
    if (!isDue || !isConnected(this.#options.shownState.peek())) return
    try {
      await this.#fetchAll()
    } catch {
      // The list stays as it is; the next look at the page tries again.
    }
  }

  async #fetchAll(): Promise<void> {
    this.#fetchedAt = Date.now()
    const summaries = await this.#options.chat.rooms()
    for (const summary of summaries) this.#setSummary(summary)
    const others = summaries.filter(({ room }) => !this.#openRooms.has(room))
    for (const name of roomsToJoin(others, JOINED_MAX - this.#openRooms.size)) this.open(name)
  }

  /** Joins the rooms with unsent messages from before a reload. */
  openPending(): void {
    for (const name of this.#options.chat.pendingRooms) this.open(name)
  }

  async leave(name: string): Promise<void> {
    const room = this.#options.chat.join(name)
    this.#forget(name)
    await room.leave()
    this.#otherTabs.tell({ kind: 'left', room: name })
  }

  /** In another tab of this user. */
  #heard({ kind, room: name }: RoomNews): void {
    if (kind === 'left') {
      const room = this.#options.chat.joined.get(name)
      this.#forget(name)
      this.#options.leftElsewhere(name)
      // The other tab has left it for the user; this connection has to leave it too.
      room?.leave().catch(this.#options.failed)
    } else if (!this.#openRooms.has(name) && this.#openRooms.size < JOINED_MAX) this.open(name)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#stopListening()
    for (const { stop } of this.#openRooms.values()) stop()
    this.#openRooms.clear()
  }

  #listen(room: ChatRoom): void {
    const { name } = room
    const changed = () => this.#markChanged(name)
    const members = new ShownMembers(room, changed)
    const stops = [
      room.on('change', changed),
      room.on('state', (state) => {
        changed()
        if (state === 'live') this.#otherTabs.tell({ kind: 'joined', room: name })
      }),
      room.on('unread', changed),
      room.on('presence', () => members.update()),
      () => members.close(),
      room.on('message', (message, { live }) => this.#messageReceived(room, message, live)),
    ]
    this.#openRooms.set(name, { members, stop: () => stops.forEach((stop) => stop()) })
    changed()
  }

  #forget(name: string): void {
    this.#openRooms.get(name)?.stop()
    this.#openRooms.delete(name)
    this.#summaries.delete(name)
    this.#markChanged(name)
  }

  #setSummary(summary: RoomSummary): void {
    this.#summaries.set(summary.room, summary)
    this.#markChanged(summary.room)
  }

  /** A summary has changed, perhaps by a new message in a direct room that is not joined. */
  #changedRoom(summary: RoomSummary, from: Author | undefined): void {
    this.#setSummary(summary)
    if (from === undefined) return
    this.#options.people.remember(from)
    this.open(summary.room)
    if (from.id !== this.#options.me().id) {
      this.#options.messageReceived({ room: summary.room, from, isPersonal: true })
    }
  }

  #messageReceived({ name: room }: ChatRoom, { from, text = '' }: LoggedMessage, live: boolean): void {
    if (directUsers(room) !== undefined) this.#options.people.remember(from)
    if (!live || from.id === this.#options.me().id) return
    const isPersonal = directUsers(room) !== undefined || this.#mentions(text)
    this.#options.messageReceived({ room, from, text, isPersonal })
  }

  #names(): Set<string> {
    return new Set([...this.#summaries.keys(), ...this.#openRooms.keys()])
  }

  #markChanged(name: string): void {
    this.#changed.add(name)
    this.#scheduleUpdate()
  }

  /** Batches changes that arrive together into one update. */
  #scheduleUpdate(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#update()
    }, UPDATE_DELAY_MS)
  }

  #update(): void {
    const present = this.#presentNow()
    const names = this.#names()
    for (const name of this.#itemByRoom.keys()) if (!names.has(name)) this.#itemByRoom.delete(name)
    for (const name of names) {
      const item = this.#itemByRoom.get(name)
      if (item === undefined || this.#changed.has(name) || this.#isStale(item, present))
        this.#itemByRoom.set(name, this.#itemOf(name, present))
    }
    this.#changed.clear()
    this.#options.people.save()
    batch(() => {
      this.present.value = present
      this.hasCompany.value ||= this.#hasCompany(present)
      this.items.value = [...this.#itemByRoom.values()]
    })
  }

  /** Unknown until the user's id is known. */
  #hasCompany(present: ReadonlySet<string>): boolean {
    const { chat, me } = this.#options
    const { id } = me()
    if (id === '') return false
    if ([...present].some((user) => user !== id)) return true
    return [...this.#itemByRoom.values()].some(
      ({ room, unread }) =>
        unread > 0 || chat.joined.get(room)?.messages.some(({ from }) => from.id !== id) === true,
    )
  }

  #isStale({ room, other, present }: RoomListItem, presentNow: ReadonlySet<string>): boolean {
    if (other === undefined) return false
    return presentNow.has(other.id) !== present || this.#otherOf(room)?.name !== other.name
  }

  #presentNow(): Set<string> {
    const { shownState, people } = this.#options
    const present = new Set<string>()
    // While disconnected, the last known members say nothing about now.
    if (!isConnected(shownState.peek())) return present
    const partners = new Set([...this.#names()].flatMap((name) => directUsers(name) ?? []))
    for (const { members } of this.#openRooms.values()) {
      for (const member of members.value.peek().list) {
        present.add(member.id)
        if (partners.has(member.id)) people.remember(member)
      }
    }
    return present
  }

  #itemOf(name: string, present: ReadonlySet<string>): RoomListItem {
    const { id: userId } = this.#options.me()
    const room = this.#options.chat.joined.get(name)
    const { messages = [], readUpTo = 0 } = room ?? {}
    const mentionsUser = (text: string) => this.#mentions(text)
    const unread = room?.unread ?? this.#summaries.get(name)?.unread ?? 0
    const mentionCount = unread === 0 ? 0 : unreadMentions(messages, { readUpTo, userId, mentionsUser })
    const other = this.#otherOf(name)
    return {
      room: name,
      title: other?.name ?? name,
      ...(other === undefined ? {} : { other }),
      present: other !== undefined && present.has(other.id),
      unread,
      mentions: other === undefined ? mentionCount : unread,
      lastAt: messages.at(-1)?.at ?? 0,
    }
  }

  #otherOf(name: string): { id: string; name: string } | undefined {
    const users = directUsers(name)
    if (users === undefined) return undefined
    const me = this.#options.me()
    const id = users.find((user) => user !== me.id) ?? me.id
    if (id === me.id) return { id, name: notesTitle(me.name) }
    return { id, name: this.#options.people.nameOf(id) ?? unknownName(id) }
  }

  #mentions(text: string): boolean {
    return mentions(text, this.#options.me().name)
  }
}

/** Guests' ids are random; those of others (an e-mail address, say) tell more than a part of them. */
function unknownName(id: string): string {
  return /^[gp]_[\w-]{26}$/.test(id) ? `Guest ${id.slice(-4)}` : id
}

function authorsOf(messages: readonly ChatMessage[]): Author[] {
  return messages.map(({ from }) => from)
}
