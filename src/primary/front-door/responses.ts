/**
 * Responses of the primary itself: small JSON bodies, each the last one on its connection. The connection
 * then lingers for a limited time and discards what still arrives, so that a reset does not cut the response
 * off.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { DeadlineSet } from '../../core/deadline-set.ts'

export interface HttpResponse {
  status: number
  body?: object
  headers?: Readonly<Record<string, string>>
  retryAfterSeconds?: number
}

const LINGER_MS = 2_000

export function renderResponse(response: HttpResponse, method: string): string {
  const body = response.body === undefined ? '' : `${JSON.stringify(response.body)}\n`
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? 'Unknown'}`]
  if (body !== '') {
    lines.push(
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
    )
  }
  for (const [name, value] of Object.entries(response.headers ?? {})) lines.push(`${name}: ${value}`)
  lines.push('Connection: close')
  if (response.retryAfterSeconds !== undefined) lines.push(`Retry-After: ${response.retryAfterSeconds}`)
  return `${lines.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : body}`
}

export class Responder {
  readonly #maxLingering: number
  readonly #lingering: DeadlineSet<Socket>

  constructor(options: { maxLingering: number; now: () => number }) {
    this.#maxLingering = options.maxLingering
    this.#lingering = new DeadlineSet({
      limitMs: LINGER_MS,
      now: options.now,
      onOverdue: (socket) => socket.destroy(),
    })
  }

  response(socket: Socket, response: HttpResponse, method = 'GET'): void {
    if (socket.destroyed) return
    const oldest = this.#lingering.oldest
    if (this.#lingering.size >= this.#maxLingering) oldest?.destroy()
    this.#lingering.add(socket)
    socket.once('close', () => this.#lingering.delete(socket))
    socket.end(renderResponse(response, method))
    socket.resume()
  }

  close(): void {
    for (const socket of this.#lingering.clear()) socket.destroy()
  }
}
