/** A session in one namespace of a Socket.IO server. */
import type { Transport } from '../../model/plan.ts'
import type { Address } from '../transport/transport.ts'
import { EngineSession } from './engine-session.ts'
import { decodeMessage, encodeConnect, encodeDisconnect, encodeEvent, type SocketPacket } from './packets.ts'
import type { ReadLimit, Session, SessionEvents } from './session.ts'

/** What a client sends at each connection. */
export interface Handshake {
  namespace: string
  auth: Readonly<Record<string, unknown>>
  transport: Transport
}

/**
 * For connection state recovery: the private id of the session, and the offset of the last packet received.
 */
export interface RecoveryState {
  pid?: string
  offset?: string
}

export class SocketIoSession implements Session {
  readonly #handshake: Handshake
  readonly #recovery: RecoveryState
  readonly #events: SessionEvents
  readonly #engine: EngineSession
  #isSilent = false

  /** @param recovery updated for the next session of the same client */
  constructor(address: Address, handshake: Handshake, recovery: RecoveryState, events: SessionEvents) {
    this.#handshake = handshake
    this.#recovery = recovery
    this.#events = events
    this.#engine = new EngineSession(address, handshake.transport, {
      onOpen: () => this.#connect(),
      onMessage: (packet) => this.#take(packet),
      onEnd: (reason, detail) => this.#events.onEnd(reason, detail),
    })
  }

  get transport(): 'polling' | 'websocket' {
    return this.#engine.transport
  }

  request(ref: number, event: string, payload: unknown): void {
    this.#engine.send(encodeEvent(this.#handshake.namespace, ref, [event, payload]))
  }

  throttle(reads: ReadLimit): void {
    this.#engine.throttle(reads)
  }

  leave(): void {
    this.#isSilent = true
    this.#engine.send(encodeDisconnect(this.#handshake.namespace))
    this.#engine.leave()
  }

  cut(): void {
    this.#isSilent = true
    this.#engine.cut()
  }

  #connect(): void {
    const { namespace, auth } = this.#handshake
    const recovery = this.#recovery.pid === undefined ? {} : this.#recovery
    this.#engine.send(encodeConnect(namespace, { ...recovery, ...auth }))
  }

  #take(text: string): void {
    // A polling payload may contain more packets after the one on which the session was left.
    if (this.#isSilent) return
    const packet = decoded(text, this.#handshake.namespace)
    if (packet === undefined) this.#end('parse error', 'not a packet')
    else this.#handle(packet)
  }

  #handle(packet: SocketPacket): void {
    switch (packet.type) {
      case 'event':
        return this.#deliver(packet.args)
      case 'ack':
        return this.#events.onAnswer(packet.ref, packet.answer)
      case 'connect':
        this.#setPid(packet.pid)
        return this.#events.onReady()
      case 'disconnect':
        return this.#end('io server disconnect', 'io server disconnect')
      case 'refused':
        return this.#end('io server disconnect', packet.reason)
      case 'foreign':
        return undefined
    }
  }

  #deliver([event, payload, ...rest]: readonly unknown[]): void {
    if (this.#recovery.pid !== undefined) this.#setOffset(rest.at(-1) ?? payload)
    this.#events.onEvent(String(event), payload)
  }

  #setPid(pid: string | undefined): void {
    if (pid === undefined) delete this.#recovery.pid
    else this.#recovery.pid = pid
  }

  /** A server with recovery sends the offset as the last argument of each packet. */
  #setOffset(last: unknown): void {
    if (typeof last === 'string') this.#recovery.offset = last
  }

  #end(reason: string, detail: string): void {
    this.#isSilent = true
    this.#engine.leave()
    this.#events.onEnd(reason, detail)
  }
}

function decoded(text: string, namespace: string): SocketPacket | undefined {
  try {
    return decodeMessage(text, namespace)
  } catch {
    return undefined
  }
}
