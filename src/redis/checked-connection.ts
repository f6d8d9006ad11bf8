/** What the checks of the server use of a connection to Redis. */
import type { RedisCommands } from './clients.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface CheckedConnection {
  readonly commands: RedisCommands
  readonly subscriptions: Subscriptions
  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T>
}
