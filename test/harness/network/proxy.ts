/** A network between a client and a server that can be cut, be deaf in one direction, stand still, and be slow. Loopback TCP. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export class Network {
  readonly #server: Server
  readonly #links = new Set<{ client: Socket; server: Socket; deaf: boolean }>()
  readonly #onTheWay = new WeakMap<Socket, Promise<void>>()
  readonly #targetPort: number
  #isCut = false
  #deaf = false
  #delayMs = 0
  #held: 'nothing' | 'answers' | 'all' = 'nothing'

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.#targetPort = targetPort
    server.on('connection', (client) => this.#join(client))
  }

  static async to(targetPort: number): Promise<Network> {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return new Network(server, targetPort)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** All connections break, and new ones do too. */
  cut(): void {
    this.#isCut = true
    this.breakAll()
  }

  mend(): void {
    this.#isCut = false
    this.#held = 'nothing'
    this.#letThrough()
  }

  /** Nothing gets through any more, and nobody is told: out of reach, with connections that look open. */
  hold(): void {
    this.#held = 'all'
    this.#letThrough()
  }

  /** The client reads nothing any more of what the server says. */
  holdAnswers(): void {
    this.#held = 'answers'
    this.#letThrough()
  }

  breakAll(): void {
    for (const { client, server } of this.#links) {
      client.destroy()
      server.destroy()
    }
  }

  /** What the server says gets lost on the connections that are there now, for as long as they last. */
  loseAnswers(): void {
    for (const link of this.#links) link.deaf = true
  }

  /** The same for those to come. */
  set deaf(deaf: boolean) {
    this.#deaf = deaf
  }

  /** Everything takes so long in each direction. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  #join(client: Socket): void {
    if (this.#isCut) {
      client.destroy()
      return
    }
    const server = connect(this.#targetPort, '127.0.0.1')
    const link = { client, server, deaf: this.#deaf }
    this.#links.add(link)
    const end = () => {
      this.#links.delete(link)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    client.on('data', (bytes) => this.#pass(bytes, server))
    server.on('data', (bytes) => {
      if (!link.deaf) this.#pass(bytes, client)
    })
    this.#letThrough()
  }

  #letThrough(): void {
    for (const { client, server } of this.#links) {
      if (this.#held === 'all') client.pause()
      else client.resume()
      if (this.#held === 'nothing') server.resume()
      else server.pause()
    }
  }

  /** In the order of the bytes, also when it is no longer slow. */
  #pass(bytes: Buffer, to: Socket): void {
    const before = this.#onTheWay.get(to)
    if (before === undefined && this.#delayMs === 0) {
      to.write(bytes)
      return
    }
    const mine = Promise.all([before, delay(this.#delayMs)]).then(() => {
      if (!to.destroyed) to.write(bytes)
      if (this.#onTheWay.get(to) === mine) this.#onTheWay.delete(to)
    })
    this.#onTheWay.set(to, mine)
  }
}
