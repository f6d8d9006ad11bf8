/** A WebSocket client over a bare TCP connection, which can read slowly or never. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { until } from '../until.ts'

const MASK_BYTES = 4
const KEPT_CHARS = 100_000
/** Up to this length a frame has one byte of length, above it two more. */
const SHORT_MAX = 125

export class RawWebSocketClient {
  readonly #socket: Socket
  #text = ''
  #isClosed = false

  private constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#isClosed = true
    })
    this.#socket.on('data', (chunk) => {
      this.#text = (this.#text + chunk.toString('latin1')).slice(-KEPT_CHARS)
    })
    const key = randomBytes(16).toString('base64')
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
  }

  /** Connects as a guest and joins the room. */
  static async member(port: number, name: string, room: string): Promise<RawWebSocketClient> {
    const client = new RawWebSocketClient(port)
    await client.#has('"sid"')
    client.send(`40${JSON.stringify({ name })}`)
    await client.#has('"welcome"')
    client.send(`421${JSON.stringify(['room:join', { room, limit: 1 }])}`)
    await client.#has('"ok":true')
    return client
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** One text frame. */
  send(text: string): void {
    const payload = Buffer.from(text)
    const mask = Buffer.alloc(MASK_BYTES)
    const head = Buffer.from([0x81, 0x80 | Math.min(payload.length, SHORT_MAX + 1)])
    const length = Buffer.alloc(payload.length > SHORT_MAX ? 2 : 0)
    if (length.length > 0) length.writeUInt16BE(payload.length)
    this.#socket.write(Buffer.concat([head, length, mask, payload]))
  }

  stopReading(): void {
    this.#socket.pause()
  }

  /** Reads this many bytes of what the system has buffered. */
  read(bytes: number): void {
    this.#socket.read(bytes)
  }

  end(): void {
    this.#socket.destroy()
  }

  #has(text: string): Promise<void> {
    return until(
      () => this.#text.includes(text),
      `${text} arrives`,
      () => this.#text,
    )
  }
}
