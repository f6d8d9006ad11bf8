/**
 * What one turn of the event loop says to Redis leaves as one write for each connection: ioredis would make a system call of each
 * command. What nobody waits for is gathered for a little longer while writes come thick, since each write also wakes Redis and all
 * that hear of it. Holds the connections that stand; it keeps nothing itself, and the order is that of the calls.
 */
import { Cluster } from 'ioredis'
import type { RedisCommands } from './clients.ts'

/** So soon after the last write, what can wait does so for as long. */
const GATHER_MS = 2

type Stream = RedisStreams[number]
type RedisStreams = ReturnType<typeof streamsOf>

export class TurnBatch {
  readonly #commands: RedisCommands
  #held: Stream[] | undefined
  #immediate: NodeJS.Immediate | undefined
  #gathering: NodeJS.Timeout | undefined
  #lastWriteMs = Number.NEGATIVE_INFINITY

  constructor(commands: RedisCommands) {
    this.#commands = commands
  }

  /** Before each command: it leaves at the end of this turn, with all that is held. */
  hold(): void {
    this.#held ??= corked(this.#commands)
    this.#immediate ??= setImmediate(() => this.release())
  }

  /** Before a command that nobody waits for: likewise when nothing has left for a while, else a little later. */
  gather(): void {
    if (this.#immediate !== undefined || this.#gathering !== undefined) return
    if (performance.now() - this.#lastWriteMs > GATHER_MS) return this.hold()
    this.#held ??= corked(this.#commands)
    this.#gathering = setTimeout(() => this.release(), GATHER_MS)
  }

  release(): void {
    clearImmediate(this.#immediate)
    clearTimeout(this.#gathering)
    this.#immediate = undefined
    this.#gathering = undefined
    const held = this.#held ?? []
    this.#held = undefined
    this.#lastWriteMs = performance.now()
    // Those that were corked: a connection that has come since is none of them.
    for (const stream of held) stream.uncork()
  }
}

function corked(commands: RedisCommands): RedisStreams {
  const streams = streamsOf(commands)
  for (const stream of streams) stream.cork()
  return streams
}

function streamsOf(commands: RedisCommands) {
  const clients = commands instanceof Cluster ? commands.nodes('master') : [commands]
  // Before it connects for the first time a client has none.
  return clients.flatMap(({ status, stream }) => (status === 'ready' ? [stream] : []))
}
