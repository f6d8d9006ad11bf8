/** Decodes and checks entries from Redis, from pages and channels. Invalid ones are counted and logged. */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { LogEntry } from '../../wire/entry.ts'
import type { RedisLogMetrics } from './redis-log-metrics.ts'
import {
  type ChannelMessage,
  type EntryCodec,
  placeholder,
  type Refusal,
  toLogEntry,
} from './stored-entry.ts'

/** Shortest time between log lines about the same problem. */
const LOG_MS = 5_000

/** The likely reason for somebody who has written nothing to Redis by hand. */
const HINTS: Record<Refusal, string> = {
  malformed: 'something else has written to this key, or it was damaged',
  unsigned:
    'written before CLUSTER_SECRET was set, or by a host without it? `rookery log sign --unsigned` signs what is stored',
  forged:
    'signed with a former secret? Set CLUSTER_SECRET_OLD to it, or sign anew with `rookery log sign` (docs/deploy.md)',
}

export interface EntryDecoderOptions {
  codec: EntryCodec
  metrics: Pick<RedisLogMetrics, 'refused'>
  logger: Logger
}

export class EntryDecoder {
  readonly #options: EntryDecoderOptions
  readonly #throttle = new LogThrottle(LOG_MS)

  constructor(options: EntryDecoderOptions) {
    this.#options = options
  }

  /** Replaces an invalid entry with a placeholder, so that the sequence stays dense. */
  page(room: string, values: readonly { seq: number; value: Buffer | null }[]): LogEntry[] {
    let at = 0
    return values.map(({ seq, value }) => {
      const stored = this.#options.codec.decodeStored(room, seq, value)
      if (typeof stored === 'string') {
        this.#refused(room, 'store', stored)
        return placeholder(room, seq, at)
      }
      at = stored.at
      return toLogEntry(room, stored)
    })
  }

  message(room: string, bytes: Buffer): ChannelMessage {
    const decoded = this.#options.codec.decodeMessage(room, bytes)
    if (decoded.type === 'refused') this.#refused(room, 'channel', decoded.why)
    return decoded
  }

  #refused(room: string, where: 'channel' | 'store', why: Refusal): void {
    const { metrics, logger } = this.#options
    metrics.refused.inc({ where, why })
    this.#throttle.run((heldBack) =>
      logger.warn({ room, where, why, heldBack, hint: HINTS[why] }, 'an invalid entry came from Redis'),
    )
  }
}
