/**
 * What has to be heard of a room that any worker of this host wants: its entries, and who is there. What the log can't
 * watch yet is tried again for as long as the room is wanted; the workers then look into the log for what they missed.
 */
import type { Logger } from 'pino'
import { LogGate } from '../core/log-gate.ts'
import type { RoomLog } from '../log/room-log.ts'
import type { PresenceFeed } from './presence-feed.ts'
import type { RoomFeeds } from './relay-wanted.ts'

const RETRY_MS = 1_000
const LOG_MS = 10_000

export interface RoomFeedsOptions {
  log: Pick<RoomLog, 'watch' | 'unwatch'>
  presence: Pick<PresenceFeed, 'wanted' | 'unwanted'>
  /** Entries of the room may have been missed: whoever follows it has to look into the log. */
  behind: (room: string) => void
  logger: Logger
  retryMs?: number
}

interface Watch {
  state: 'asked' | 'watched' | 'failed'
  settle: () => void
}

export function createRoomFeeds({
  log,
  presence,
  logger,
  behind,
  retryMs = RETRY_MS,
}: RoomFeedsOptions): RoomFeeds {
  const watches = new Map<string, Watch>()
  const gate = new LogGate(LOG_MS)
  let timer: NodeJS.Timeout | undefined

  const ask = (room: string, watch: Watch, late: boolean) => {
    watch.state = 'asked'
    log.watch(room).then(
      () => {
        watch.state = 'watched'
        watch.settle()
        if (watches.get(room) !== watch) log.unwatch(room)
        else if (late) behind(room)
      },
      (error: unknown) => {
        watch.state = 'failed'
        gate.pass((heldBack) =>
          logger.warn({ err: error, room, heldBack }, 'the entries of a room can not be heard yet'),
        )
        timer ??= setTimeout(askAgain, retryMs).unref()
      },
    )
  }
  const askAgain = () => {
    timer = undefined
    for (const [room, watch] of watches) if (watch.state === 'failed') ask(room, watch, true)
  }

  return {
    wanted: (room) => {
      presence.wanted(room)
      let settle: () => void = doNothing
      const watched = new Promise<void>((resolve) => {
        settle = resolve
      })
      const watch: Watch = { state: 'asked', settle }
      watches.set(room, watch)
      ask(room, watch, false)
      return watched
    },
    unwanted: (room) => {
      presence.unwanted(room)
      const watch = watches.get(room)
      watches.delete(room)
      watch?.settle()
      if (watch?.state === 'watched') log.unwatch(room)
    },
  }
}

function doNothing(): void {}
