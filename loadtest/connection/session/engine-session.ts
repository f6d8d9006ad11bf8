/** One Engine.IO session: handshake, heartbeat, upgrade. It does not interpret messages. */
import type { Transport } from '../../model/plan.ts'
import { PollingTransport } from '../transport/polling-transport.ts'
import type { Address, CarryingTransport } from '../transport/transport.ts'
import { Upgrade } from '../transport/upgrade.ts'
import { WebSocketTransport } from '../transport/websocket-transport.ts'
import { ENGINE, Handshake } from './packets.ts'
import type { ReadLimit } from './session.ts'

export interface EngineEvents {
  onOpen(): void
  /** A message packet, including its leading `4`. */
  onMessage(packet: string): void
  /** See `SessionEvents`. */
  onEnd(reason: string, detail: string): void
}

export class EngineSession {
  readonly #address: Address
  readonly #wanted: Transport
  readonly #events: EngineEvents
  readonly #transportEvents = {
    onOpen: () => undefined,
    onText: (text: string) => this.#take(text),
    onEnd: (reason: string, detail: string) => this.#ended(reason, detail),
  }
  #transport: CarryingTransport
  #upgrade: Upgrade | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #reads: ReadLimit | undefined

  /** @param address its URL has the path and query that all Engine.IO requests begin with */
  constructor(address: Address, wanted: Transport, events: EngineEvents) {
    this.#address = address
    this.#wanted = wanted
    this.#events = events
    this.#transport =
      wanted === 'websocket'
        ? new WebSocketTransport(this.#to('websocket'), this.#transportEvents)
        : new PollingTransport(this.#to('polling'), this.#transportEvents)
  }

  get transport(): 'polling' | 'websocket' {
    return this.#transport.name
  }

  send(packet: string): void {
    this.#transport.send(packet)
  }

  throttle(reads: ReadLimit): void {
    this.#reads = reads
    this.#transport.throttle(reads)
  }

  leave(): void {
    this.#stop()
    this.#transport.leave()
  }

  cut(): void {
    this.#stop()
    this.#transport.cut()
  }

  #to(transport: 'polling' | 'websocket', sid?: string): Address {
    const url = new URL(this.#address.url)
    url.searchParams.set('transport', transport)
    if (sid !== undefined) url.searchParams.set('sid', sid)
    return { ...this.#address, url }
  }

  #take(packet: string): void {
    switch (packet.charAt(0)) {
      case ENGINE.message:
        return this.#events.onMessage(packet)
      case ENGINE.ping:
        this.#heartbeat?.refresh()
        return this.send(ENGINE.pong)
      case ENGINE.open:
        return this.#begin(packet.slice(1))
      case ENGINE.noop:
        return undefined
      case ENGINE.close:
        return this.#abort('transport close', 'closed by the server')
      default:
        return this.#abort('parse error', 'not a packet')
    }
  }

  #begin(json: string): void {
    const handshake = handshakeIn(json)
    if (handshake === undefined) return this.#abort('parse error', 'not a handshake')
    const { sid, upgrades, pingInterval, pingTimeout, maxPayload } = handshake
    const lifeMs = pingInterval + pingTimeout
    this.#heartbeat = setTimeout(() => this.#abort('ping timeout', 'ping timeout'), lifeMs)
    if (this.#transport instanceof PollingTransport) this.#transport.began(sid, maxPayload)
    this.#events.onOpen()
    if (this.#wanted === 'upgrade' && upgrades.includes('websocket')) this.#try(sid)
  }

  #try(sid: string): void {
    const polling = this.#transport
    if (!(polling instanceof PollingTransport)) return
    this.#upgrade = new Upgrade(this.#to('websocket', sid), polling, {
      events: this.#transportEvents,
      onUpgrade: (to) => {
        this.#upgrade = undefined
        this.#transport = to
        if (this.#reads !== undefined) to.throttle(this.#reads)
      },
    })
  }

  /** Ends a connection that the other side still considers open. */
  #abort(reason: string, detail: string): void {
    this.cut()
    this.#events.onEnd(reason, detail)
  }

  #ended(reason: string, detail: string): void {
    this.#stop()
    this.#events.onEnd(reason, detail)
  }

  #stop(): void {
    clearTimeout(this.#heartbeat)
    this.#upgrade?.cut()
    this.#upgrade = undefined
  }
}

function handshakeIn(json: string): Handshake | undefined {
  try {
    return Handshake.parse(JSON.parse(json))
  } catch {
    return undefined
  }
}
