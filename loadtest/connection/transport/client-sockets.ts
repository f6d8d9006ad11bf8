/**
 * The TCP connections of one client, from an HTTP agent of its own: not shared with other clients, and they
 * can be cut.
 */
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { Socket } from 'node:net'
import { reset } from './transport.ts'

/** Shorter than any server's keep-alive time-out, which could close it just before the next request. */
const IDLE_MS = 2_000

export class ClientSockets {
  readonly agent: Agent
  readonly #open = new Set<Socket>()
  #isCut = false

  constructor(secure: boolean, localAddress: string | undefined) {
    const options = {
      keepAlive: true,
      timeout: IDLE_MS,
      ...(localAddress === undefined ? {} : { localAddress }),
    }
    const agent = secure ? new SecureAgent(options) : new Agent(options)
    const create = agent.createConnection.bind(agent)
    agent.createConnection = (connection, made) => {
      if (!this.#isCut) return this.#keep(create(connection, made))
      made?.(new Error('the network is cut'), new Socket())
      return undefined
    }
    this.agent = agent
  }

  /** Also ends connections with a request under way. */
  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  /** Also refuses new connections until `mend`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#open) reset(socket)
  }

  mend(): void {
    this.#isCut = false
  }

  pause(): void {
    for (const socket of this.#open) socket.pause()
  }

  resume(): void {
    for (const socket of this.#open) socket.resume()
  }

  #keep<T>(socket: T): T {
    if (socket instanceof Socket) {
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
    }
    return socket
  }
}
