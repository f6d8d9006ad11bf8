/**
 * A Socket.IO server in this process that speaks the benches' protocol, or the part of the chat's that the
 * fleet uses, with one kind of occasional defect. It counts its defects, so that a test can compare them with
 * the auditor's findings.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'

/**
 * `drops`: a message does not reach one member. `doubles`: it reaches one member twice. `swaps`: one member
 * is shown it after its sender's next one. `swallows`: it is acked and not kept. `invents`: a member is shown
 * a message that nobody sent. `forgets`: a reconnecting client does not get what it missed from the log;
 * without a log, it never does.
 */
export type Defect = 'none' | 'drops' | 'doubles' | 'swaps' | 'swallows' | 'invents' | 'forgets'

interface Message {
  room: string
  id: string
  text: string
  /** In the room's log. */
  seq: number
}

interface Ask {
  room: string
  after?: number
}

type Answer = (answer: unknown) => void

/** One defect per this number of deliveries: at the middle one. */
const DELIVERIES = 1_000
/** One swallowed message per this number: the middle one. */
const MESSAGES = 100
/** Long, so that no client counts as dead on a busy machine. */
const PING_TIMEOUT_MS = 600_000

export class DefectiveServer {
  readonly url: string
  /** Messages that it accepted, in order of arrival. */
  readonly taken: Message[] = []
  /** Messages sent to members. */
  shown = 0
  /** The number of defects. */
  broken = 0
  readonly #io: Server
  readonly #defect: Defect
  readonly #logs = new Map<string, Message[]>()
  /** By sender: the message that one member is shown after the sender's next one. */
  readonly #held = new Map<string, { member: Socket; message: Message }>()
  #deliveries = 0

  private constructor(io: Server, url: string, defect: Defect) {
    this.#io = io
    this.url = url
    this.#defect = defect
    io.on('connection', (socket) => this.#serve(socket))
  }

  static async start(defect: Defect): Promise<DefectiveServer> {
    const http = createServer()
    const io = new Server(http, { pingTimeout: PING_TIMEOUT_MS })
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve)
    })
    return new DefectiveServer(io, `http://127.0.0.1:${(http.address() as AddressInfo).port}`, defect)
  }

  async stop(): Promise<void> {
    this.#io.disconnectSockets(true)
    await this.#io.close()
  }

  #serve(socket: Socket): void {
    socket.on('join', async ({ rooms }: { rooms: string[] }, done: Answer) => {
      await socket.join(rooms)
      done({ ok: true })
    })
    socket.on('publish', (asked: Message, done: Answer) => {
      this.#take(asked)
      done({ ok: true })
    })
    socket.on('room:join', async (asked: Ask, done: Answer) => {
      await socket.join(asked.room)
      done(this.#resume(asked))
    })
    socket.on('room:history', (asked: Ask, done: Answer) => done(this.#page(asked)))
    socket.on('message:send', (asked: Message, done: Answer) => {
      const known = this.taken.find(({ id }) => id === asked.id)
      const { seq } = known ?? this.#take(asked)
      done({ ok: true, seq, at: 1, duplicate: known !== undefined })
    })
  }

  #take({ room, id, text }: Message): Message {
    const log = this.#logOf(room)
    const message = { room, id, text, seq: (log.at(-1)?.seq ?? 0) + 1 }
    this.taken.push(message)
    if (this.#breaks('swallows', this.taken.length, MESSAGES)) {
      // Its number is used, so that no other message gets it.
      log.push({ ...message, id: '', text: '' })
      return message
    }
    log.push(message)
    for (const member of this.#membersOf(room)) this.#deliver(member, message)
    return message
  }

  #deliver(member: Socket, message: Message): void {
    this.#deliveries += 1
    const breaks = (defect: Defect) => this.#breaks(defect, this.#deliveries, DELIVERIES)
    if (breaks('drops')) return
    if (this.#holds(member, message)) return
    this.#show(member, message)
    if (breaks('doubles')) this.#show(member, message)
    if (breaks('invents')) this.#show(member, { ...message, id: inventedFrom(message.id) })
    this.#release(member, message)
  }

  /** Three times in a run at any rate, when there is certainly a next message. */
  #holds(member: Socket, message: Message): boolean {
    const sender = senderIn(message.id)
    if (this.#defect !== 'swaps' || !/-[012]-5$/.test(message.id) || this.#held.has(sender)) return false
    this.broken += 1
    this.#held.set(sender, { member, message })
    return true
  }

  #release(member: Socket, { id }: Message): void {
    const held = this.#held.get(senderIn(id))
    if (held?.member !== member || held.message.id === id) return
    this.#held.delete(senderIn(id))
    this.#show(member, held.message)
  }

  #show(member: Socket, { room, id, text, seq }: Message): void {
    this.shown += 1
    member.emit('message', { room, id, text, seq, kind: 'text' })
  }

  #breaks(defect: Defect, count: number, among: number): boolean {
    const breaks = defect === this.#defect && count % among === among / 2
    if (breaks) this.broken += 1
    return breaks
  }

  #membersOf(room: string): Socket[] {
    const { rooms } = this.#io.sockets.adapter
    return [...(rooms.get(room) ?? [])].flatMap((id) => this.#io.sockets.sockets.get(id) ?? [])
  }

  #logOf(room: string): Message[] {
    const log = this.#logs.get(room) ?? []
    this.#logs.set(room, log)
    return log
  }

  #resume(asked: Ask): unknown {
    const page = this.#page(asked)
    if (this.#defect !== 'forgets') return page
    this.broken += asked.after === undefined ? 0 : page.messages.length
    return { ...page, messages: [] }
  }

  #page({ room, after }: Ask) {
    const log = this.#logOf(room)
    const messages = after === undefined ? [] : log.filter(({ seq, id }) => seq > after && id !== '')
    return { ok: true, room, epoch: 'log', head: log.at(-1)?.seq ?? 0, reset: false, messages, more: false }
  }
}

/** An id of a client that does not exist, in the same run. */
function inventedFrom(id: string): string {
  return id.replace(/-(\d+)-(\d+)$/, '-9$1-$2')
}

function senderIn(id: string): string {
  return id.slice(0, id.lastIndexOf('-'))
}
