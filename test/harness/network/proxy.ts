/** A TCP proxy between a client and a server that can cut, hold, drop one direction, and delay. On loopback. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

interface Link {
  client: Socket
  server: Socket
  isWebSocket: boolean
  deaf: boolean
}

const UPGRADE = /\r\nupgrade: websocket\r\n/i

export class Network {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #onTheWay = new WeakMap<Socket, Promise<void>>()
  #targetPort: number
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

  /** New connections go to this port. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort
  }

  /** Breaks all connections, and new ones too. */
  cut(): void {
    this.#isCut = true
    this.breakAll()
  }

  mend(): void {
    this.#isCut = false
    this.#held = 'nothing'
    this.#letThrough()
  }

  /** Nothing gets through any more, but connections look open, as when the other side is unreachable. */
  hold(): void {
    this.#held = 'all'
    this.#letThrough()
  }

  /** The client no longer reads what the server sends. */
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

  /** Drops what the server sends on the present WebSockets, until they close. Pages still load. */
  loseAnswers(): void {
    for (const link of this.#links) link.deaf ||= link.isWebSocket
  }

  /** The same for new connections. */
  set deaf(deaf: boolean) {
    this.#deaf = deaf
  }

  /** Delays everything by this time in each direction. */
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
    const link: Link = { client, server, isWebSocket: false, deaf: this.#deaf }
    this.#links.add(link)
    const end = () => {
      this.#links.delete(link)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    client.on('data', (bytes) => {
      link.isWebSocket ||= UPGRADE.test(bytes.toString('latin1'))
      this.#pass(bytes, server)
    })
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

  /** Keeps the order of the bytes, also when the delay ends. */
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
