/**
 * A server of the chat's protocol that is correct except where a test makes it misbehave: each answer and
 * each event passes through a hook before it is sent. Runs in this process, on its own port; has one log for
 * all room names.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import type { Entry } from '../../../src/client/connection/guards.ts'

type Body = Record<string, unknown>

export interface Hooks {
  /** What is sent instead of an entry's `message` event, in this order. */
  live(entry: Entry): Entry[]
  /** The answer to a request; undefined: no answer, ever. */
  answer(event: string, answer: Body, asked: Body): Body | undefined
  /** Whether the log accepts it. */
  stores(asked: Body): boolean
  welcomes(): boolean
}

const honest: Hooks = {
  live: (entry) => [entry],
  answer: (_event, answer) => answer,
  stores: () => true,
  welcomes: () => true,
}

const PAGE_DEFAULT = 50

export class HostileServer {
  readonly io: Server
  readonly hooks: Hooks = { ...honest }
  readonly log: Entry[] = []
  readonly asked: { event: string; payload: Body }[] = []
  epoch = 'epoch-1'
  #port = 0

  private constructor() {
    this.io = new Server(createServer(), { pingInterval: 25_000 })
    this.io.on('connection', (socket) => this.#serve(socket))
  }

  static async start(hooks: Partial<Hooks> = {}): Promise<HostileServer> {
    const hostile = new HostileServer()
    Object.assign(hostile.hooks, hooks)
    await new Promise<void>((resolve) => {
      hostile.io.httpServer.listen(0, '127.0.0.1', () => resolve())
    })
    hostile.#port = (hostile.io.httpServer.address() as AddressInfo).port
    return hostile
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get head(): number {
    return this.log.length
  }

  count(event: string): number {
    return this.asked.filter((one) => one.event === event).length
  }

  /** Writes a message as another user. */
  write(text: string): Entry {
    return this.#append({ id: `other-${this.head + 1}`, room: 'lobby', text }, { id: 'other', name: 'Other' })
  }

  /** Sends an event to all clients, unchanged. */
  tell(event: string, payload: unknown): void {
    this.io.emit(event, payload)
  }

  /** The old entries are lost. */
  loseLog(epoch: string): void {
    this.log.length = 0
    this.epoch = epoch
  }

  async close(): Promise<void> {
    await this.io.close()
  }

  #serve(socket: Socket): void {
    const user = {
      id: `id-of-${String(socket.handshake.auth.name)}`,
      name: String(socket.handshake.auth.name),
    }
    if (this.hooks.welcomes())
      socket.emit('welcome', { user, host: 'h', worker: 'w', limits: { textMaxChars: 4_000 } })
    socket.onAny((event: string, payload: Body, ack?: (answer: Body) => void) => {
      this.asked.push({ event, payload })
      const answer = this.hooks.answer(event, this.#answer(event, payload, user), payload)
      if (answer !== undefined) ack?.(answer)
    })
  }

  #answer(event: string, asked: Body, user: Entry['from']): Body {
    if (event === 'room:join') return { ok: true, room: asked.room, members: [user], ...this.#resume(asked) }
    if (event === 'room:history') return { ok: true, ...this.#page(asked) }
    if (event === 'message:send') return this.#take(asked, user)
    return { ok: true }
  }

  #take(asked: Body, user: Entry['from']): Body {
    const known = this.log.find(({ id, from }) => id === asked.id && from.id === user.id)
    if (known !== undefined) return { ok: true, seq: known.seq, at: known.at, duplicate: true }
    if (!this.hooks.stores(asked)) return { ok: true, seq: this.head + 1, at: 1, duplicate: false }
    const { seq, at } = this.#append(asked, user)
    return { ok: true, seq, at, duplicate: false }
  }

  #append(asked: Body, from: Entry['from']): Entry {
    const [id, text] = [String(asked.id), String(asked.text)]
    const entry: Entry = {
      room: 'lobby',
      seq: this.head + 1,
      id,
      kind: 'text',
      from,
      text,
      at: this.head + 1,
    }
    this.log.push(entry)
    for (const sent of this.hooks.live(entry)) this.tell('message', sent)
    return entry
  }

  #resume(asked: Body): Body {
    const { after, epoch } = asked
    const follows = (epoch === undefined || epoch === this.epoch) && Number(after ?? 0) <= this.head
    if (after !== undefined && follows) return { reset: false, ...this.#page(asked) }
    return { reset: after !== undefined, ...this.#page({ limit: asked.limit }) }
  }

  #page({ after, before, limit = PAGE_DEFAULT }: Body): Body {
    const fitting = this.log.filter(({ seq }) => seq > Number(after ?? 0) && seq < Number(before ?? Infinity))
    const messages = after === undefined ? fitting.slice(-Number(limit)) : fitting.slice(0, Number(limit))
    return { epoch: this.epoch, head: this.head, messages, more: messages.length < fitting.length }
  }
}
