/** The TCP connections of one client, made by an agent of its own: nobody else's requests go over them, and they can be cut. */
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { Socket } from 'node:net'
import { reset } from './transport.ts'

/** Shorter than any server's, which would close it in the face of the next request. */
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

  /** Those over which a request is under way are ended too. */
  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  /** Until `mend` there are no new ones either. */
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
