/**
 * Moves a polling session to a WebSocket without losing or reordering a packet: first the WebSocket is
 * probed, then polling is paused (the server ends the poll under way), then the session moves. A failed
 * upgrade leaves polling as it is.
 */
import { ENGINE, PROBE, PROBE_ANSWER } from '../session/packets.ts'
import type { PollingTransport } from './polling-transport.ts'
import type { Address, TransportEvents } from './transport.ts'
import { WebSocketTransport } from './websocket-transport.ts'

export interface UpgradeTarget {
  events: TransportEvents
  onUpgrade(to: WebSocketTransport): void
}

export class Upgrade {
  readonly #polling: PollingTransport
  readonly #candidate: WebSocketTransport
  readonly #target: UpgradeTarget
  #pauseRequested = false

  constructor(address: Address, polling: PollingTransport, target: UpgradeTarget) {
    this.#polling = polling
    this.#target = target
    this.#candidate = new WebSocketTransport(address, {
      onOpen: () => this.#candidate.send(PROBE),
      onText: (text) => this.#take(text),
      onEnd: () => this.#fail(),
    })
  }

  cut(): void {
    this.#candidate.cut()
  }

  #take(text: string): void {
    if (text !== PROBE_ANSWER) {
      this.#candidate.cut()
      this.#fail()
      return
    }
    this.#pauseRequested = true
    this.#polling.pause(() => this.#move())
  }

  #move(): void {
    const unsent = this.#polling.retire()
    this.#candidate.handTo(this.#target.events)
    this.#candidate.send(ENGINE.upgrade)
    for (const packet of unsent) this.#candidate.send(packet)
    this.#target.onUpgrade(this.#candidate)
  }

  #fail(): void {
    if (this.#pauseRequested) this.#polling.resume()
  }
}
