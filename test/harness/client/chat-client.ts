/**
 * A stock Socket.IO client that speaks the chat's protocol directly and records everything it receives, so
 * that a test can wait for past and future events alike. Close it with `close()`.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { Ack, ChatAnswers, ChatEvent, ChatEvents, ChatRequest } from '../../../src/wire/chat.ts'
import { chatRequests } from '../../../src/wire/chat.ts'
import type { Author } from '../../../src/wire/entry.ts'
import type { ErrorBody } from '../../../src/wire/errors.ts'
import { until } from '../until.ts'

const ACK_TIMEOUT_MS = 30_000

export type ClientOptions = Partial<ManagerOptions & SocketOptions>

type Payload<E extends ChatEvent> = Partial<ChatRequest<E>>

interface ReceivedEvent {
  event: string
  payload: unknown
}

function keyOf(name: string): string {
  return `the secret key of ${name}`
}

export class ChatClient {
  readonly socket: Socket
  readonly received: ReceivedEvent[] = []
  readonly disconnects: string[] = []

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = io(url, { forceNew: true, transports: ['websocket'], ...options })
    this.socket.onAny((event: string, payload: unknown) => this.received.push({ event, payload }))
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason))
  }

  /** A guest whose key is derived from the name: the same name is the same user. */
  static async guest(url: string, name: string, options: ClientOptions = {}): Promise<ChatClient> {
    const client = new ChatClient(url, { auth: { name, key: keyOf(name) }, ...options })
    await client.next('welcome')
    return client
  }

  get welcome(): ChatEvents['welcome'] {
    const [welcome] = this.all('welcome').slice(-1)
    if (welcome === undefined) throw new Error('not welcomed yet')
    return welcome
  }

  get user(): Author {
    return this.welcome.user
  }

  /** Why the connection was refused. */
  async refusal(): Promise<ErrorBody> {
    const error = await new Promise<Error & { data?: ErrorBody }>((resolve, reject) => {
      this.socket.once('connect_error', resolve)
      this.socket.once('connect', () => reject(new Error('it was let in')))
    })
    if (error.data === undefined) throw error
    return error.data
  }

  /** Sends any request, and returns the raw ack. */
  async raw(event: string, ...args: unknown[]): Promise<Record<string, unknown>> {
    return this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, ...args)
  }

  /** Sends a request, and throws unless the ack is ok. */
  async ask<E extends ChatEvent>(event: E, payload: Payload<E>): Promise<ChatAnswers[E]> {
    const { ok, ...answer } = (await this.raw(event, payload)) as unknown as Ack<ChatAnswers[E]>
    if (!ok) throw new Error(`${event} was refused: ${JSON.stringify(answer)}`)
    return answer as ChatAnswers[E]
  }

  /** Sends a request that must be refused. */
  async refused(event: string, ...args: unknown[]): Promise<ErrorBody> {
    const { ok, error } = await this.raw(event, ...args)
    if (ok !== false) throw new Error(`${event} was not refused`)
    return error as ErrorBody
  }

  join(room: string, more: Payload<'room:join'> = {}): Promise<ChatAnswers['room:join']> {
    return this.ask('room:join', { room, ...more })
  }

  send(room: string, id: string, text = `text of ${id}`): Promise<ChatAnswers['message:send']> {
    return this.ask('message:send', { room, id, text })
  }

  all<E extends keyof ChatEvents>(event: E): ChatEvents[E][] {
    return this.received.filter((one) => one.event === event).map((one) => one.payload as ChatEvents[E])
  }

  /** Sequence numbers of the live messages of a room, in order of arrival. */
  seqs(room: string): number[] {
    return this.all('message')
      .filter((message) => message.room === room)
      .map(({ seq }) => seq)
  }

  /** The first matching event, whether it has already arrived or is still to come. */
  async next<E extends keyof ChatEvents>(
    event: E,
    fits: (payload: ChatEvents[E]) => boolean = () => true,
  ): Promise<ChatEvents[E]> {
    const find = () => this.all(event).find(fits)
    await until(
      () => find() !== undefined,
      `${event} arrives`,
      () => JSON.stringify(this.received.slice(-20)),
    )
    const found = find()
    if (found === undefined) throw new Error('it was there a moment ago')
    return found
  }

  /** Cuts the connection as a broken network does; the client reconnects by itself. */
  async cut(): Promise<void> {
    const welcomes = this.all('welcome').length
    this.socket.io.engine.close()
    await until(() => this.all('welcome').length > welcomes, 'the client is welcomed again')
  }

  close(): void {
    this.socket.disconnect()
  }
}

/** Every event that a client may send. */
export const chatEventNames = Object.keys(chatRequests)

/**
 * Connects guests with one name until one of them is on another worker than `than`. The others are closed.
 */
export async function guestElsewhere(url: string, name: string, than: ChatClient): Promise<ChatClient> {
  for (let tries = 0; tries < 100; tries += 1) {
    const client = await ChatClient.guest(url, name)
    if (client.welcome.worker !== than.welcome.worker) return client
    client.close()
  }
  throw new Error('every connection came to one worker')
}
