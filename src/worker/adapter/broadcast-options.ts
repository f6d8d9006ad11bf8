/** The options of a broadcast, as Socket.IO has them, as they stand on the link, and back. */
import type { BroadcastOptions } from 'socket.io-adapter'
import type { BroadcastBody, BroadcastFlags } from './codec.ts'

/** What a timer takes at most. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export function flagsOf({ flags }: BroadcastOptions): BroadcastFlags {
  return { volatile: flags?.volatile === true, compress: flags?.compress }
}

/** With arrays in place of sets. */
export function plainOptions({ rooms, except, flags }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...(except ?? [])], flags }
}

export function optionsOf({ rooms, except, flags }: BroadcastBody): BroadcastOptions {
  const { volatile, compress } = flags
  return {
    // The type declarations say string; numbers work all the same.
    rooms: new Set(rooms as readonly string[]),
    except: new Set(except as readonly string[]),
    flags: compress === undefined ? { volatile } : { volatile, compress },
  }
}

/** Without a timeout there is next to none: as in the base class. */
export function ackTimeoutMs({ flags }: BroadcastOptions): number {
  return boundedMs(flags?.timeout ?? 1)
}

export function boundedMs(timeoutMs: number): number {
  return Math.min(Math.max(1, timeoutMs), MAX_TIMEOUT_MS)
}
