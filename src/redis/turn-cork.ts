/**
 * What one turn of the event loop says to Redis leaves as one write for each connection: ioredis would make a system call of each
 * command. Holds the connections that stand; it keeps nothing itself, and the order is that of the calls.
 */
import { Cluster } from 'ioredis'
import type { RedisCommands } from './clients.ts'

export class TurnCork {
  readonly #commands: RedisCommands
  #held = false

  constructor(commands: RedisCommands) {
    this.#commands = commands
  }

  /** Before each command: until the end of this turn. */
  hold(): void {
    if (this.#held) return
    this.#held = true
    const streams = this.#streams()
    for (const stream of streams) stream.cork()
    setImmediate(() => {
      this.#held = false
      // Those that were corked: a connection that has come since is none of them.
      for (const stream of streams) stream.uncork()
    })
  }

  #streams() {
    const clients = this.#commands instanceof Cluster ? this.#commands.nodes('master') : [this.#commands]
    // Before it connects for the first time a client has none.
    return clients.flatMap(({ status, stream }) => (status === 'ready' ? [stream] : []))
  }
}
