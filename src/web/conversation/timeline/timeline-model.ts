/**
 * What the timeline of one opened room shows beside the room's own messages: the line above what is new, notices, how far
 * has been seen. Hears the room's events, and says once a frame at most which rows there are now. Draws nothing.
 */
import type { ChatClient, ChatRoom } from '../../../client/index.ts'
import { wasLeftEmpty } from '../left-empty.ts'
import { FrameScheduler } from './animation-frame.ts'
import { type Notice, type NoticeCause, withNotice } from './notices.ts'
import { type Row, RowBuilder, updateSteps } from './rows.ts'
import { unreadAfter, unreadAtOpening, unseenIn } from './unread-marker.ts'

export interface TimelineStep {
  readonly rows: readonly Row[]
  /** The place of what is read is kept from the bottom. */
  readonly shift: boolean
}

export interface TimelineModelOptions {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: string
  /** Draws a step before it returns. */
  readonly show: (step: TimelineStep) => void
  /** Whether the user sees what arrives at the bottom. */
  readonly isWatching: () => boolean
  /** Where new messages begin is known now. */
  readonly opened: () => void
  /** All is gone, and begins anew. */
  readonly reset: () => void
}

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
      chat.on('user', this.#frame.request),
    ]
    void this.#open()
    this.#update()
  }

  get rows(): readonly Row[] {
    return this.#rows
  }

  /** Messages of others that have come and were not seen. */
  get unseen(): number {
    return unseenIn(this.#options.room.messages, this.#seen, this.#options.me)
  }

  /** The place of the line above what is new; -1 when there is none. */
  get unreadRow(): number {
    return this.#rows.findIndex(({ kind }) => kind === 'unread')
  }

  /** The newest there is has been looked at by the user. */
  sawAll(): void {
    this.saw(this.#options.room.lastSeq)
  }

  /** All up to this number has been looked at. Not told before it is known how far it was when the room was opened. */
  saw(seq: number): void {
    if (!this.#isOpen) return
    this.#seen = Math.max(this.#seen, seq)
    if (this.#seen <= this.#read) return
    this.#read = this.#seen
    this.#options.room.read(this.#read)
  }

  /** The user goes on with the talk: what was new no longer is. */
  messageSent(): void {
    this.#unreadFrom = undefined
    this.#frame.request()
  }

  /** What has been asked for is drawn now. */
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
      // Without an answer there is no line above what is new: all else goes on.
      this.#unreadFrom = undefined
    }
    if (this.#isClosed) return
    this.#isOpen = true
    this.#frame.request()
    this.#frame.flush()
    this.#options.opened()
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

/** `cut`: there is nothing older to be had, and it does not begin there. */
function beginningOf(room: ChatRoom): 'first' | 'cut' | undefined {
  if (room.epoch === undefined || room.hasOlder) return undefined
  const [oldest] = room.entries
  return oldest === undefined || oldest.seq === 1 ? 'first' : 'cut'
}
