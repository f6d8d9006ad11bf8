/** A client in one room that records everything it reports, to be compared with the log. */
import { expect } from 'vitest'
import { type ChatClient, connectChat } from '../../../src/client/client.ts'
import type { Entry } from '../../../src/client/connection/guards.ts'
import type { ChatOptions } from '../../../src/client/options.ts'
import type { ChatRoom } from '../../../src/client/room/room.ts'
import type { Doubt, ResetReason } from '../../../src/client/timeline/timeline.ts'
import { until } from '../until.ts'

export interface WatchOptions extends Partial<ChatOptions> {
  url: string
  name: string
  room?: string
}

export class Watch {
  readonly client: ChatClient
  readonly room: ChatRoom
  /** Entries since the last reset. */
  shown: Entry[] = []
  readonly resets: ResetReason[] = []
  readonly doubts: Doubt[] = []
  readonly errors: unknown[] = []
  readonly states: string[] = []

  constructor({ url, name, room = 'lobby', ...options }: WatchOptions) {
    this.client = connectChat({
      url,
      auth: { name, key: `the secret key of ${name}` },
      retryBaseMs: 50,
      retryMaxMs: 1_000,
      ...options,
      socket: { reconnectionDelay: 20, reconnectionDelayMax: 200, ...options.socket },
    })
    this.client.on('error', (error) => this.errors.push(error))
    this.client.on('state', ({ state }) => this.states.push(state))
    this.room = this.client.join(room)
    this.room.on('entry', (entry) => this.shown.push(entry))
    this.room.on('doubt', (doubt) => this.doubts.push(doubt))
    this.room.on('reset', (reason) => {
      this.resets.push(reason)
      this.shown = []
    })
  }

  /** Resolves when everything up to `seq` was shown or skipped. */
  async has(seq: number): Promise<void> {
    await until(
      () => this.room.lastSeq >= seq,
      `${seq} is shown`,
      () => `it has ${this.room.lastSeq}, is ${this.room.state}, ${JSON.stringify(this.client.state)}`,
    )
  }

  get seqs(): number[] {
    return this.shown.map(({ seq }) => seq)
  }

  texts(): (string | undefined)[] {
    return this.room.messages.map(({ text }) => text)
  }

  /**
   * Checks that each entry arrived once and in order, that nothing is waiting, and that there were no doubts
   * or errors.
   */
  audit(): void {
    const first = this.seqs[0] ?? 1
    expect(this.seqs).toEqual(this.seqs.map((_, index) => first + index))
    expect(this.room.messages.filter(({ state }) => state !== 'sent')).toEqual([])
    expect(this.client.state.waiting).toBe(0)
    expect(this.doubts).toEqual([])
    expect(this.errors).toEqual([])
  }

  close(): Promise<void> {
    return this.client.close()
  }
}
