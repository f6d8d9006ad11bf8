/** Converts the options of a broadcast between Socket.IO's form and the form on the link. */
import type { BroadcastOptions } from 'socket.io-adapter'
import type { DeliveryFlags } from '../connections/index.ts'
import type { BroadcastBody } from './codec.ts'

/** Longest delay of a Node timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export function flagsOf({ flags }: BroadcastOptions): DeliveryFlags {
  return { volatile: flags?.volatile === true, compress: flags?.compress }
}

/** With arrays instead of sets. */
export function plainOptions({ rooms, except, flags }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...(except ?? [])], flags }
}

export function optionsOf({ rooms, except, flags }: BroadcastBody): BroadcastOptions {
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

export function boundedMs(timeoutMs: number): number {
  return Math.min(Math.max(1, timeoutMs), MAX_TIMEOUT_MS)
}
