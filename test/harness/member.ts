/**
 * A member of one room on the stock client, who behaves as PROTOCOL says that a client should: resumes after each
 * reconnect from the last sequence number, and sends again with the same id until it gets an answer. It keeps all that
 * it was shown, so that a test can hold it against what was acked.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'

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

const ACK_TIMEOUT_MS = 10_000
const TRIES = 100

export class Member {
  readonly socket: Socket
  readonly room: string
  readonly shown: Shown[] = []
  /** Sequence numbers that did not follow on the one before. */
  readonly breaks: string[] = []
  disconnects = 0
  /** The worker that serves it, by its `welcome`. */
  worker: string | undefined
  failedSends = 0
  #last = 0
  #epoch: string | undefined
  #joined: Promise<void> | undefined
  #onShown: (() => void)[] = []
  #stopped = false

  constructor(
    url: string,
    room: string,
    name: string,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ) {
    this.room = room
    this.socket = io(url, {
      auth: { name, key: `key-of-${name}-0123456789` },
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      transports: ['websocket'],
      ...options,
    })
    this.socket.on('message', (message: Shown & { room: string }) => {
      if (message.room === room) this.#take(message)
    })
    this.socket.on('welcome', ({ worker }: { worker: string }) => {
      this.worker = worker
    })
    this.socket.on('disconnect', () => {
      this.disconnects += 1
      this.#joined = undefined
    })
    this.socket.on('connect', () => void this.joined())
  }

  /** Resolves when joined, with all that was missed. */
  joined(): Promise<void> {
    this.#joined ??= this.#join()
    return this.#joined
  }

  /** What is not acked yet never will be: `send` rejects. */
  stopSending(): void {
    this.#stopped = true
  }

  /** Sends until it is acked. */
  async send(id: string, text: string): Promise<Acked> {
    for (let attempt = 0; attempt < TRIES && !this.#stopped; attempt += 1) {
      const ack = await this.request('message:send', { room: this.room, id, text })
      if (ack?.ok === true) return { id, seq: Number(ack.seq), duplicate: ack.duplicate === true }
      if (ack?.error !== undefined && !ack.error.retryable && ack.error.code !== 'not_joined')
        throw new Error(`refused for good: ${JSON.stringify(ack.error)}`)
      this.failedSends += 1
      await wait(ack?.error?.retryAfterMs ?? 20)
      await this.joined()
    }
    throw new Error(`${id} was never acked`)
  }

  /** One request; undefined when no answer came. */
  async request(event: string, payload: unknown): Promise<Ack | undefined> {
    try {
      return (await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload)) as Ack
    } catch {
      return undefined
    }
  }

  /** Resolves when `seq` and all before it were shown. */
  async has(seq: number): Promise<void> {
    while (this.#last < seq) await new Promise<void>((resolve) => this.#onShown.push(resolve))
  }

  close(): void {
    this.socket.disconnect()
  }

  async #join(): Promise<void> {
    const resume = this.#epoch === undefined ? {} : { after: this.#last, epoch: this.#epoch }
    const ack = await this.request('room:join', { room: this.room, limit: 200, ...resume })
    if (ack?.ok !== true) {
      this.#joined = undefined
      if (this.socket.connected) await wait(20)
      else await new Promise((resolve) => this.socket.once('connect', () => resolve(undefined)))
      return this.joined()
    }
    if (this.#epoch === undefined) this.#last = Number(ack.head) - (ack.messages as Shown[]).length
    this.#epoch = String(ack.epoch)
    for (const message of ack.messages as Shown[]) this.#take(message)
    if (ack.more === true && resume.after !== undefined) await this.#catchUp(Number(ack.head))
  }

  /** Pages up to `head`; what arrives live meanwhile waits in `#early`. */
  async #catchUp(head: number): Promise<void> {
    while (this.#last < head) {
      const ack = await this.request('room:history', { room: this.room, after: this.#last, limit: 200 })
      if (ack?.ok !== true) return
      for (const message of ack.messages as Shown[]) this.#take(message)
    }
  }

  readonly #early = new Map<number, Shown>()

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
    for (const resolve of this.#onShown.splice(0)) resolve()
  }

  #show(message: Shown): void {
    this.#last = message.seq
    this.shown.push(message)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
