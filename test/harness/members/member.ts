/**
 * A member of one room on the stock client that behaves as PROTOCOL requires: it resumes after each reconnect
 * from the last sequence number, fetches the messages of a `gap`, starts over when the log has another epoch,
 * and sends again with the same id until it gets an answer. It records everything that it received, to be
 * compared with what was acked.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { until } from '../until.ts'

export interface Shown {
  seq: number
  id: string
  kind: string
  text?: string
  from: { id: string; name: string }
}

export interface Ack {
  ok: boolean
  error?: { code: string; message: string; retryable: boolean; retryAfterMs?: number }
  [key: string]: unknown
}

export interface Acked {
  id: string
  seq: number
  duplicate: boolean
}

/** A replaced log, and the messages received from it. */
export interface PastLog {
  epoch: string
  shown: Shown[]
}

type Options = Partial<ManagerOptions & SocketOptions>

const ACK_TIMEOUT_MS = 20_000
/** Only ends a hanging request. */
const GIVE_UP_MS = 110_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 320
const JOIN_PAUSE_MS = 100
const PAGE = 200

export class Member {
  readonly room: string
  /** Received from the current log. */
  readonly shown: Shown[] = []
  readonly pastLogs: PastLog[] = []
  /** Sequence numbers that did not follow their predecessor. */
  readonly breaks: string[] = []
  /** How often a send was refused, by code; `silence`: no answer. */
  readonly refusals = new Map<string, number>()
  /** The messages of those refusals. */
  readonly reasons = new Set<string>()
  disconnects = 0
  /** The worker that serves it, from `welcome`. */
  worker: string | undefined
  failedSends = 0
  #url: string
  #socket: Socket
  readonly #options: Options
  readonly #early = new Map<number, Shown>()
  #last = 0
  #epoch: string | undefined
  #joined: Promise<void> | undefined
  /** The log was replaced and the new one is not joined yet: its messages wait for the answer. */
  #outdated = false
  #sinceOutdated: Shown[] = []
  #gapSinceOutdated = 0
  #stopped = false
  #closed = false

  constructor(url: string, room: string, name: string, options: Options = {}) {
    this.room = room
    this.#options = {
      auth: { name, key: `key-of-${name}-0123456789` },
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      transports: ['websocket'],
      ...options,
    }
    this.#url = url
    this.#socket = this.#connect(url)
  }

  get url(): string {
    return this.#url
  }

  get socket(): Socket {
    return this.#socket
  }

  /** The log that it follows. */
  get epoch(): string | undefined {
    return this.#epoch
  }

  /** Everything up to here was received. */
  get last(): number {
    return this.#last
  }

  /** Reconnects to another address, like a client whose host was removed from the balancer. */
  moveTo(url: string): void {
    this.#socket.disconnect()
    this.#url = url
    this.#socket = this.#connect(url)
  }

  /** Resolves when it has joined and received everything that it missed. */
  joined(): Promise<void> {
    this.#joined ??= this.#join()
    return this.#joined
  }

  /** Gives up unacked messages: `send` rejects. It still follows its room. */
  stopSending(): void {
    this.#stopped = true
  }

  /** Sends until it is acked. */
  async send(id: string, text: string): Promise<Acked> {
    const giveUpAt = performance.now() + GIVE_UP_MS
    for (let tries = 0; performance.now() < giveUpAt && !this.#stopped; tries += 1) {
      const ack = await this.request('message:send', { room: this.room, id, text })
      if (ack?.ok === true) return { id, seq: Number(ack.seq), duplicate: ack.duplicate === true }
      this.#refused(ack)
      await wait(ack?.error?.retryAfterMs ?? pauseMs(tries))
      await this.joined()
    }
    throw new Error(`${id} was never acked: ${JSON.stringify([...this.refusals])}`)
  }

  /** One request; undefined without an answer. */
  async request(event: string, payload: unknown): Promise<Ack | undefined> {
    try {
      return (await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload)) as Ack
    } catch {
      return undefined
    }
  }

  /** Resolves when everything up to `seq` was received. */
  has(seq: number): Promise<void> {
    return until(
      () => this.#last >= seq,
      `${seq} is shown in ${this.room}`,
      () => `last shown: ${this.#last}, early: ${this.#early.size}, ${this.#state()}`,
    )
  }

  close(): void {
    this.#stopped = true
    this.#closed = true
    this.#socket.disconnect()
  }

  #connect(url: string): Socket {
    const socket = io(url, this.#options)
    socket.on('message', (message: Shown & { room: string }) => {
      if (message.room !== this.room) return
      if (this.#outdated) this.#sinceOutdated.push(message)
      else this.#take(message)
    })
    socket.on('gap', ({ room, to }: { room: string; to: number }) => {
      if (room !== this.room) return
      if (this.#outdated) this.#gapSinceOutdated = Math.max(this.#gapSinceOutdated, to)
      else void this.#catchUp(to)
    })
    socket.on('epoch', ({ room }: { room: string }) => {
      if (room !== this.room) return
      this.#outdated = true
      this.#sinceOutdated = []
      this.#gapSinceOutdated = 0
      this.#joined = undefined
      void this.joined()
    })
    socket.on('welcome', ({ worker }: { worker: string }) => {
      this.worker = worker
    })
    socket.on('disconnect', () => {
      if (this.#closed) return
      this.disconnects += 1
      this.#joined = undefined
    })
    socket.on('connect', () => void this.joined())
    return socket
  }

  #refused(ack: Ack | undefined): void {
    const { error } = ack ?? {}
    if (error !== undefined && !error.retryable && error.code !== 'not_joined')
      throw new Error(`refused for good: ${JSON.stringify(error)}`)
    const code = error?.code ?? 'silence'
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
    if (error !== undefined) this.reasons.add(error.message)
    this.failedSends += 1
  }

  async #join(): Promise<void> {
    const socket = this.#socket
    const after = this.#last
    const resume = this.#epoch === undefined ? {} : { after, epoch: this.#epoch }
    const ack = await this.request('room:join', { room: this.room, limit: PAGE, ...resume })
    if (ack?.ok === true && socket === this.#socket) return this.#follow(ack, after)
    this.#joined = undefined
    if (this.#socket.connected) await wait(JOIN_PAUSE_MS)
    else
      await until(
        () => this.#socket.connected || this.#closed,
        'the member is connected',
        () => this.#state(),
      )
    if (!this.#closed) await this.joined()
  }

  async #follow(ack: Ack, after: number): Promise<void> {
    const messages = ack.messages as Shown[]
    const begins = this.#epoch === undefined || ack.reset === true
    if (begins) this.#begin(String(ack.epoch), Number(ack.head) - messages.length)
    else if (ack.epoch !== this.#epoch) this.breaks.push('another epoch without a reset')
    // Also when it joined the new log before the event arrived.
    this.#outdated = false
    this.#takePage(messages, begins ? this.#last : after)
    const head = Number(ack.head)
    for (const message of this.#sinceOutdated.splice(0)) if (message.seq > head) this.#take(message)
    if (ack.more === true && !begins) await this.#catchUp(head)
    if (this.#gapSinceOutdated > this.#last) await this.#catchUp(this.#gapSinceOutdated)
    this.#gapSinceOutdated = 0
  }

  #begin(epoch: string, last: number): void {
    if (this.#epoch === epoch) this.breaks.push(`${last} of the same log after ${this.#last}`)
    if (this.#epoch !== undefined) this.pastLogs.push({ epoch: this.#epoch, shown: this.shown.splice(0) })
    this.#epoch = epoch
    this.#last = last
    this.#early.clear()
  }

  /** Fetches pages up to `head`; live messages that arrive meanwhile wait in `#early`. */
  async #catchUp(head: number): Promise<void> {
    const socket = this.#socket
    const epoch = this.#epoch
    for (let tries = 0; this.#last < head && socket.connected && !this.#closed; tries += 1) {
      const after = this.#last
      const ack = await this.request('room:history', { room: this.room, after, limit: PAGE })
      if (epoch !== this.#epoch || socket !== this.#socket) return
      if (ack?.ok !== true) await wait(pauseMs(tries))
      else
        this.#takePage(
          (ack.messages as Shown[]).filter(({ seq }) => seq <= head),
          after,
        )
    }
  }

  /** A page may hold messages that have also arrived live since it was requested. */
  #takePage(messages: readonly Shown[], after: number): void {
    for (const message of messages) {
      if (message.seq <= after) this.breaks.push(`${message.seq} in a page after ${after}`)
      else if (message.seq > this.#last) this.#take(message)
    }
  }

  #take(message: Shown): void {
    if (message.seq > this.#last + 1) {
      this.#early.set(message.seq, message)
      return
    }
    if (message.seq <= this.#last) {
      this.breaks.push(`${message.seq} after ${this.#last}`)
      return
    }
    this.#show(message)
    for (;;) {
      const next = this.#early.get(this.#last + 1)
      if (next === undefined) break
      this.#early.delete(next.seq)
      this.#show(next)
    }
  }

  #show(message: Shown): void {
    this.#last = message.seq
    this.shown.push(message)
  }

  #state(): string {
    const { connected, id } = this.#socket
    return `connected: ${connected} as ${id} to ${this.worker}, epoch: ${this.#epoch}`
  }
}

function pauseMs(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10))
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
