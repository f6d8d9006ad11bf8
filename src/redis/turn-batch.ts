/**
 * Batches all commands of one turn of the event loop into one write per connection: ioredis makes a system
 * call per command. While writes are frequent, commands that nobody waits for are gathered a little longer,
 * because each write also wakes Redis and all subscribers. Corks the open connections; keeps the order of the
 * calls.
 */
import { Cluster } from 'ioredis'
import type { RedisCommands } from './clients.ts'

/** Commands that can wait do so for this long, if the last write was less than this ago. */
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

  /** Call before each command: it is written at the end of this turn, with all held commands. */
  hold(): void {
    this.#held ??= corked(this.#commands)
    this.#immediate ??= setImmediate(() => this.release())
  }

  /**
   * Call before a command that nobody waits for: written at the end of this turn, or a little later after a
   * recent write.
   */
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
    // Only the corked ones: connections opened since then are not corked.
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
  // A client has no stream before its first connection.
  return clients.flatMap(({ status, stream }) => (status === 'ready' ? [stream] : []))
}
