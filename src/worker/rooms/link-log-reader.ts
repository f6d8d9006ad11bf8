/**
 * The log as a worker reads it when it is not on this host: through the primary, which alone speaks to Redis. Looks are
 * bounded, so that an avalanche of joins can't fill the link with pages that nobody has read yet.
 */
import { Gauge, type Registry } from 'prom-client'
import { Semaphore } from '../../core/semaphore.ts'
import type { RoomLogReader } from '../../log/room-log.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Link } from '../link/link.ts'

/** Pages under way at a time: that many of the largest fit into the primary's outbox for a worker. */
const PAGES_AT_ONCE = 24
const PAGES_WAITING = 20_000
const RETRY_MS = 1_000

export function createLinkLogReader(link: Pick<Link, 'request'>, registry: Registry): RoomLogReader {
  const pages = new Semaphore({ permits: PAGES_AT_ONCE, queueMax: PAGES_WAITING })
  const waiting: Gauge = new Gauge({
    name: 'rookery_log_reads_waiting',
    help: 'Pages of the log that wait for others to be read',
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
