/** Chooses the client implementation. */
import type { ClientKind, Dialect } from '../model/plan.ts'
import { openBare } from './bare-connection.ts'
import type { Connection, ConnectionEvents, ConnectionOptions } from './connection.ts'
import { openRaw } from './raw-connection.ts'
import { openStock } from './stock-connection.ts'

export interface ConnectionKind {
  kind: ClientKind
  /** `bare` has one client, whatever `kind` says. */
  dialect: Dialect
  /** From 0 to less than 1, derived from the run's seed. */
  random: () => number
}

/** Does nothing until `connect()`. */
export function openConnection(
  { kind, dialect, random }: ConnectionKind,
  options: ConnectionOptions,
  events: ConnectionEvents,
): Connection {
  if (dialect === 'bare') return openBare(options, events, random)
  return kind === 'raw' ? openRaw(options, events, random) : openStock(options, events, random)
}
