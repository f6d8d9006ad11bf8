/** A TCP balancer without sticky sessions: it gives each connection to a random host. On loopback. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { listenPort } from './listen-port.ts'

export class TcpBalancer {
  readonly port: number
  readonly #server: Server
  readonly #ports: number[]
  readonly #sockets = new Set<Socket>()
  /** Connections by port. */
  readonly given = new Map<number, number>()

  private constructor(server: Server, port: number, ports: readonly number[]) {
    this.#server = server
    this.port = port
    this.#ports = [...ports]
    server.on('connection', (client) => this.#join(client))
  }

  static async to(ports: readonly number[]): Promise<TcpBalancer> {
    const server = createServer({ allowHalfOpen: true })
    return new TcpBalancer(server, await listenPort(server), ports)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Removes that host from rotation. */
  leaveOut(port: number): void {
    this.#ports.splice(this.#ports.indexOf(port), 1)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const port = this.#ports[randomInt(this.#ports.length)] ?? 0
    this.given.set(port, (this.given.get(port) ?? 0) + 1)
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        this.#sockets.delete(socket)
        other.destroySoon()
      })
      socket.pipe(other)
    }
  }
}
