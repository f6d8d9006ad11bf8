/**
 * A client of the plain WebSockets of apps/bare.js: requests and events as JSON texts. It has no heartbeat,
 * like that server.
 */
import { z } from 'zod'
import type { Connection, ConnectionEvents, ConnectionOptions } from './connection.ts'
import { ReconnectingConnection } from './reconnecting-connection.ts'
import type { ReadLimit, Session, SessionEvents } from './session/session.ts'
import { Cookies } from './transport/cookies.ts'
import type { Address } from './transport/transport.ts'
import { WebSocketTransport } from './transport/websocket-transport.ts'

const Message = z.union([
  z.object({ ref: z.number(), ack: z.unknown() }),
  z.object({ event: z.string(), payload: z.unknown() }),
])

class BareSession implements Session {
  readonly transport = 'websocket'
  readonly #socket: WebSocketTransport
  readonly #events: SessionEvents

  constructor(address: Address, events: SessionEvents) {
    this.#events = events
    this.#socket = new WebSocketTransport(address, {
      onOpen: () => events.onReady(),
      onText: (text) => this.#take(text),
      onEnd: (reason, detail) => events.onEnd(reason, detail),
    })
  }

  request(ref: number, event: string, payload: unknown): void {
    this.#socket.send(JSON.stringify({ event, payload, ref }))
  }

  throttle(reads: ReadLimit): void {
    this.#socket.throttle(reads)
  }

  leave(): void {
    this.#socket.leave()
  }

  cut(): void {
    this.#socket.cut()
  }

  #take(text: string): void {
    const message = parseMessage(text)
    if (message === undefined) {
      this.#socket.cut()
      this.#events.onEnd('parse error', 'not a packet')
    } else if ('ref' in message) this.#events.onAnswer(message.ref, message.ack)
    else this.#events.onEvent(message.event, message.payload)
  }
}

function parseMessage(text: string): z.infer<typeof Message> | undefined {
  try {
    return Message.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** @param random from 0 to less than 1 */
export function openBare(
  options: ConnectionOptions,
  events: ConnectionEvents,
  random: () => number,
): Connection {
  const url = new URL(options.url)
  const address: Address = { url, localAddress: options.localAddress, cookies: new Cookies() }
  return new ReconnectingConnection(
    { dial: (sessionEvents) => new BareSession(address, sessionEvents), reads: options.reads, random },
    events,
  )
}
