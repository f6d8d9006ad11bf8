/** Converts the options of a broadcast between Socket.IO's form and the form on the link. */
import type { BroadcastOptions } from 'socket.io-adapter'
import type { RoomKey } from '../../wire/topics.ts'
import { isRoomKey } from '../../wire/topics.ts'
import type { DeliveryFlags } from '../connections/index.ts'
import type { BroadcastBody } from './codec.ts'

/** Longest delay of a Node timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export function flagsOf({ flags }: BroadcastOptions): DeliveryFlags {
  return { volatile: flags?.volatile === true, compress: flags?.compress }
}

/**
 * The rooms that may have members on other workers. Anything else (`undefined` where a user is unknown, say) can
 * be a room of this worker, as in Socket.IO, and of no other.
 */
export function roomsElsewhere(rooms: Iterable<unknown>): RoomKey[] {
  return [...rooms].filter(isRoomKey)
}

/** A list that was not empty must never become an empty one, which means everybody. */
export function isForNobodyElsewhere({ rooms }: BroadcastOptions): boolean {
  return rooms.size > 0 && roomsElsewhere(rooms).length === 0
}

/** With arrays instead of sets. Flags concern only the server that calls. */
export function plainOptions({ rooms, except }: BroadcastOptions) {
  return { rooms: roomsElsewhere(rooms), except: roomsElsewhere(except ?? []) }
}

export function optionsOf({
  rooms,
  except,
  flags,
}: Pick<BroadcastBody, 'rooms' | 'except' | 'flags'>): BroadcastOptions {
  const { volatile, compress } = flags
  return {
    // The type declarations say string, but numbers work too.
    rooms: new Set(rooms as readonly string[]),
    except: new Set(except as readonly string[]),
    flags: compress === undefined ? { volatile } : { volatile, compress },
  }
}

/** Without a timeout 1 ms, as in the base class. */
export function ackTimeoutMs({ flags }: BroadcastOptions): number {
  return boundedMs(flags?.timeout ?? 1)
}

/** What is no number becomes one, or 1 ms, as in Node's timers. */
export function boundedMs(timeoutMs: unknown): number {
  const ms = Number(timeoutMs)
  return Number.isNaN(ms) ? 1 : Math.min(Math.max(1, ms), MAX_TIMEOUT_MS)
}
