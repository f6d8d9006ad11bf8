/**
 * A Socket.IO server in this process that runs the benches' protocol, with an optional delay of its answers.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { dueAtFrom } from '../../../loadtest/model/delivery-records.ts'
import { nowMs } from '../../../loadtest/system/clock.ts'

interface Published {
  room: string
  id: string
  text: string
}

export class BenchServer {
  readonly io: Server
  readonly url: string
  /** Messages are forwarded and acked after this delay. */
  delayMs = 0
  /** The actual delay of messages. */
  readonly keptMs: number[] = []
  published = 0
  /** From the scheduled time of a message until it was forwarded. */
  readonly passedOnMs: number[] = []

  private constructor(io: Server, url: string) {
    this.io = io
    this.url = url
    io.on('connection', (socket) => this.#serve(socket))
  }

  static async start(): Promise<BenchServer> {
    const http = createServer()
    const io = new Server(http)
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve)
    })
    return new BenchServer(io, `http://127.0.0.1:${(http.address() as AddressInfo).port}`)
  }

  async stop(): Promise<void> {
    this.io.disconnectSockets(true)
    await this.io.close()
  }

  #serve(socket: Socket): void {
    socket.on('join', async ({ rooms }: { rooms: string[] }, done: (answer: unknown) => void) => {
      await socket.join(rooms)
      done({ ok: true })
    })
    socket.on('publish', (message: Published, done: (answer: unknown) => void) => {
      this.published += 1
      const cameAt = nowMs()
      const passOn = () => {
        this.keptMs.push(nowMs() - cameAt)
        this.passedOnMs.push(nowMs() - dueAtFrom(message.text))
        this.io.to(message.room).emit('message', message)
        done({ ok: true })
      }
      if (this.delayMs === 0) passOn()
      else setTimeout(passOn, this.delayMs)
    })
  }
}
