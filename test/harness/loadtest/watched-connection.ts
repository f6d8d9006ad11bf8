/**
 * A connection of the load-test suite that records all it receives, and a Socket.IO server to connect it to.
 */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import type { Connection, ConnectionOptions } from '../../../loadtest/connection/connection.ts'
import { openConnection } from '../../../loadtest/connection/open-connection.ts'
import type { ClientKind, Dialect } from '../../../loadtest/model/plan.ts'
import { until } from '../until.ts'

const REQUEST_TIMEOUT_MS = 60_000

export interface Watch {
  kind: ClientKind
  dialect?: Dialect
}

export class WatchedConnection {
  readonly connection: Connection
  connects = 0
  readonly events: { event: string; payload: unknown }[] = []
  readonly disconnects: string[] = []
  readonly errors: string[] = []
  /** Called at each connect, in the same turn of the event loop. */
  onConnect: () => void = () => undefined

  constructor({ kind, dialect = 'bench' }: Watch, options: Partial<ConnectionOptions> & { url: string }) {
    this.connection = openConnection(
      { kind, dialect, random: () => 0 },
      { transport: 'websocket', auth: {}, reads: 'all', ...options },
      {
        onConnect: () => {
          this.connects += 1
          this.onConnect()
        },
        onEvent: (event, payload) => this.events.push({ event, payload }),
        onDisconnect: (reason) => this.disconnects.push(reason),
        onConnectError: (reason) => this.errors.push(reason),
      },
    )
  }

  /** Connects, and resolves when it is connected. */
  async begun(): Promise<this> {
    this.connection.connect()
    await this.connected(1)
    return this
  }

  async connected(times: number): Promise<void> {
    await until(
      () => this.connects >= times && this.connection.connected,
      `it is connected for the ${times}. time`,
      () => this.#story(),
    )
  }

  async disconnected(times = 1): Promise<void> {
    await until(
      () => this.disconnects.length >= times,
      `it is disconnected ${times} times`,
      () => this.#story(),
    )
  }

  async refused(): Promise<void> {
    await until(
      () => this.errors.length > 0,
      'an attempt to connect fails',
      () => this.#story(),
    )
  }

  payloads(event: string): unknown[] {
    return this.events.filter((one) => one.event === event).map(({ payload }) => payload)
  }

  async told(event: string, times: number): Promise<void> {
    await until(
      () => this.payloads(event).length >= times,
      `${event} has arrived ${times} times`,
      () => this.#story(),
    )
  }

  request(event: string, payload: unknown, timeoutMs = REQUEST_TIMEOUT_MS): Promise<unknown> {
    return this.connection.request(event, payload, timeoutMs)
  }

  #story(): string {
    const { connects, disconnects, errors, events } = this
    return JSON.stringify({ connects, disconnects, errors, events: events.slice(-20) })
  }
}

export class SocketServer {
  readonly io: Server
  readonly http: HttpServer
  /** In the order in which they connected. */
  readonly sockets: Socket[] = []
  readonly goodbyes: string[] = []

  private constructor(http: HttpServer, io: Server) {
    this.http = http
    this.io = io
    io.on('connection', (socket) => {
      this.sockets.push(socket)
      socket.on('disconnect', (reason) => this.goodbyes.push(reason))
      socket.on('echo', (payload, done) => done(payload))
    })
  }

  static async on(port = 0, options: Partial<ServerOptions> = {}): Promise<SocketServer> {
    const http = createServer()
    const server = new SocketServer(http, new Server(http, options))
    http.listen(port, '127.0.0.1')
    await once(http, 'listening')
    return server
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get last(): Socket {
    const socket = this.sockets.at(-1)
    if (socket === undefined) throw new Error('nobody has connected')
    return socket
  }

  async close(): Promise<void> {
    // The server would wait for polling sessions.
    this.io.disconnectSockets(true)
    this.http.closeAllConnections()
    await this.io.close()
  }
}
