/**
 * The model of an open room's timeline: unread marker, notices, and how far the user has seen. Listens to the
 * room and publishes rows at most once per frame. Renders nothing.
 */
import type { ChatClient, ChatRoom } from '../../../client/index.ts'
import { wasLeftEmpty } from '../empty-when-left.ts'
import { FrameScheduler } from './animation-frame.ts'
import { type Notice, type NoticeCause, withNotice } from './notices.ts'
import { type Row, RowBuilder, updateSteps } from './rows.ts'
import { unreadAfter, unreadAtOpening, unseenIn } from './unread-marker.ts'

export interface TimelineStep {
  readonly rows: readonly Row[]
  /** Keep the scroll position relative to the bottom. */
  readonly shift: boolean
}

export interface TimelineModelOptions {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: string
  /** Renders a step synchronously. */
  readonly show: (step: TimelineStep) => void
  /** Whether the user sees new messages at the bottom. */
  readonly isWatching: () => boolean
  /** The message to load and to scroll to, if the user has left the room in its middle. */
  readonly returnsTo: number | undefined
  /** The position of the unread marker is known: scrolls there, before anything counts as seen. */
  readonly place: () => void
  /** From now on, what is visible counts as seen. */
  readonly opened: () => void
  /** The log was reset. */
  readonly reset: () => void
}

/** Further back, opening a room would take too long. */
const OPENING_PAGES_MAX = 3

export class TimelineModel {
  readonly #options: TimelineModelOptions
  readonly #frame = new FrameScheduler(() => this.#update())
  readonly #unsubscribes: (() => void)[]
  readonly #rowBuilder = new RowBuilder()
  #rows: readonly Row[] = []
  #notices: readonly Notice[] = []
  #unreadFrom: number | undefined
  #read = 0
  #seen = 0
  #isOpen = false
  #isClosed = false

  constructor(options: TimelineModelOptions) {
    this.#options = options
    const { room, chat } = options
    if (room.doubt !== undefined) this.#notice({ doubt: room.doubt })
    this.#unsubscribes = [
      room.on('change', this.#frame.request),
      room.on('state', this.#frame.request),
      room.on('doubt', (doubt) => this.#notice({ doubt })),
      room.on('reset', (reset) => this.#reset(reset)),
      room.on('message', (message) => this.#arrived(message)),
      room.on('unread', () => this.#readElsewhere()),
      chat.on('user', this.#frame.request),
    ]
    void this.#open()
    this.#update()
  }

  get rows(): readonly Row[] {
    return this.#rows
  }

  /** The initial read position is known. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** New messages of others that the user has not seen. */
  get unseen(): number {
    return unseenIn(this.#options.room.messages, this.#seen, this.#options.me)
  }

  /** Index of the unread marker; -1 if there is none. */
  get unreadRow(): number {
    return this.#rows.findIndex(({ kind }) => kind === 'unread')
  }

  /** The user has seen the newest message. */
  sawAll(): void {
    this.saw(this.#options.room.lastSeq)
  }

  /** The user has seen everything up to this number. Ignored until the initial read position is known. */
  saw(seq: number): void {
    if (!this.#isOpen) return
    this.#seen = Math.max(this.#seen, seq)
    if (this.#seen <= this.#read) return
    this.#read = this.#seen
    this.#options.room.read(this.#read)
  }

  /** The user has sent a message: removes the unread marker. */
  messageSent(): void {
    this.#unreadFrom = undefined
    this.#frame.request()
  }

  /** Renders a requested update now. */
  readonly flush = (): void => this.#frame.flush()

  readonly refresh = (): void => this.#frame.request()

  close(): void {
    this.#isClosed = true
    this.#frame.cancel()
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
  }

  async #open(): Promise<void> {
    const { chat, room } = this.#options
    try {
      await Promise.all([chat.rooms(), room.live()])
      this.#read = room.readUpTo
      this.#seen = room.readUpTo
      const { readUpTo: read, lastSeq: head, unread } = room
      this.#unreadFrom = unreadAtOpening({ read, head, unread, wasEmpty: wasLeftEmpty(room) })
    } catch {
      // Without an answer there is no unread marker; everything else works.
      this.#unreadFrom = undefined
    }
    await this.#loadBackTo(Math.min(...[this.#unreadFrom, this.#options.returnsTo].filter(isKnown)))
    if (this.#isClosed) return
    this.#frame.request()
    this.#frame.flush()
    this.#options.place()
    this.#isOpen = true
    this.#options.opened()
  }

  /** The user may have read it in another tab or on another device. */
  #readElsewhere(): void {
    const { room, opened } = this.#options
    if (!this.#isOpen || room.readUpTo <= this.#seen) return
    this.#seen = room.readUpTo
    this.#read = room.readUpTo
    opened()
  }

  /** Loads older messages up to this one, if it is not much older. */
  async #loadBackTo(seq: number): Promise<void> {
    const { room, chat } = this.#options
    for (let page = 0; page < OPENING_PAGES_MAX; page += 1) {
      const [oldest] = room.entries
      const isLoaded = oldest === undefined || oldest.seq <= seq
      if (isLoaded || !room.hasOlder || this.#isClosed) return
      try {
        await room.loadOlder(chat.limits?.historyMax)
      } catch {
        // The room opens at what is there; scrolling up tries again and shows the failure.
        return
      }
    }
  }

  #arrived({ seq, from }: { seq: number; from: { id: string } }): void {
    const { isWatching, me } = this.#options
    if (!this.#isOpen || from.id === me || isWatching()) return
    this.#unreadFrom = unreadAfter(this.#unreadFrom, this.#read, seq)
  }

  #notice(cause: NoticeCause): void {
    this.#notices = withNotice(this.#notices, cause, this.#options.room.lastSeq)
    this.#frame.request()
  }

  #reset(reset: 'epoch' | 'expired'): void {
    if (reset === 'epoch') {
      this.#unreadFrom = undefined
      this.#read = 0
      this.#seen = 0
    }
    this.#notice({ reset })
    this.#options.reset()
  }

  #update(): void {
    const { room, show } = this.#options
    const source = {
      messages: room.messages,
      notices: this.#notices,
      beginning: beginningOf(room),
      unreadFrom: this.#unreadFrom,
    }
    const before = this.#rows
    this.#rows = this.#rowBuilder.rowsOf(source)
    for (const step of updateSteps(before, this.#rows)) show(step)
  }
}

function isKnown(seq: number | undefined): seq is number {
  return seq !== undefined
}

/** `cut`: older messages exist but can't be loaded. */
function beginningOf(room: ChatRoom): 'first' | 'cut' | undefined {
  if (room.epoch === undefined || room.hasOlder) return undefined
  const [oldest] = room.entries
  return oldest === undefined || oldest.seq === 1 ? 'first' : 'cut'
}
