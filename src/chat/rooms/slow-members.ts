/**
 * Watches members whose clients are too slow. They get nothing until their unsent bytes are down to half of
 * the limit, and are disconnected when that takes too long. Runs only while there are such members.
 */
import type { Logger } from 'pino'
import type { Socket } from 'socket.io'
import type { AppContext } from '../../wire/app.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { Member } from './room-feed.ts'

const CHECK_EVERY_MS = 200

type Bounds = Pick<AppContext['settings'], 'slowClientBytes' | 'slowClientMs'>

export interface SlowMembersOptions {
  bounds: Bounds
  unsentBytes: (socket: Socket) => number
  metrics: Pick<ChatMetrics, 'slowDisconnects' | 'slowMembers'>
  logger: Logger
}

export class SlowMembers {
  readonly #options: SlowMembersOptions
  readonly #members = new Set<Member>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: SlowMembersOptions) {
    this.#options = options
  }

  add(member: Member, nowMs = performance.now()): void {
    if (!this.#members.has(member)) member.slowSinceMs = nowMs
    this.#members.add(member)
    this.#options.metrics.slowMembers.set(this.#members.size)
    this.#timer ??= setInterval(() => this.check(), CHECK_EVERY_MS).unref()
  }

  check(nowMs = performance.now()): void {
    const { bounds, unsentBytes, metrics } = this.#options
    for (const member of this.#members) {
      if (member.state !== 'slow') this.#members.delete(member)
      else if (unsentBytes(member.socket) <= bounds.slowClientBytes / 2) {
        this.#members.delete(member)
        member.feed.recover(member)
      } else if (nowMs - member.slowSinceMs >= bounds.slowClientMs) {
        this.#members.delete(member)
        this.#disconnect(member.socket)
      }
    }
    metrics.slowMembers.set(this.#members.size)
    if (this.#members.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Closes the connection and drops its unsent bytes: the client reconnects and resumes. */
  #disconnect(socket: Socket): void {
    const { metrics, logger, unsentBytes } = this.#options
    if (!socket.connected) return
    metrics.slowDisconnects.inc()
    logger.info(
      { socket: socket.id, unsentBytes: unsentBytes(socket) },
      'closing a connection that is too slow',
    )
    socket.conn.close(true)
  }
}
