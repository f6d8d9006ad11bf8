/**
 * Reads the log through the primary, for hosts whose log is in Redis: only the primary speaks to Redis. The
 * number of reads at a time is limited, so that many joins at once can't fill the link with pages.
 */
import { Gauge, type Registry } from 'prom-client'
import { Semaphore } from '../../core/semaphore.ts'
import type { RoomLogReader } from '../../log/room-log.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Link } from '../link/index.ts'

/** Concurrent reads: this many of the largest pages fit into the primary's outbox for a worker. */
const CONCURRENT_PAGES = 24
const QUEUED_PAGES = 20_000
const RETRY_MS = 1_000

export function createLinkLogReader(link: Pick<Link, 'request'>, registry: Registry): RoomLogReader {
  const pages = new Semaphore({ permits: CONCURRENT_PAGES, queueMax: QUEUED_PAGES })
  const waiting: Gauge = new Gauge({
    name: 'rookery_log_reads_waiting',
    help: 'Reads of log pages that wait for earlier reads',
    registers: [registry],
    collect: (): void => waiting.set(pages.waiting),
  })
  return {
    head: (room) => link.request('log.head', { room }),
    read: async (room, range) => {
      if (pages.isFull)
        throw new RookeryError('unavailable', 'too many read the log at once', { retryAfterMs: RETRY_MS })
      return pages.run(() => link.request('log.read', { room, range }))
    },
    userRooms: (userId) => link.request('user.rooms', { userId }),
    close: () => Promise.resolve(),
  }
}
