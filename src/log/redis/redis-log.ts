/**
 * The room log of a cluster, in Redis, shared by all hosts. Connects the scripts (lua.ts, room-store.ts), the
 * watched rooms (redis-room-subscriptions.ts), retention and health. An append is one script: it detects
 * retries, numbers, stores and publishes atomically. The durability of an acked append depends on the
 * settings of Redis (docs/redis.md).
 *
 * Differences to the embedded log, because of the network: an append whose answer is lost rejects with
 * `unavailable` and may be stored; a retry with the same id gets the first answer. Only entries of watched
 * rooms are reported.
 */
import { Listeners } from '../../core/listeners.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import { Semaphore } from '../../core/semaphore.ts'
import { clusterKey, entriesChannel } from '../../redis/names.ts'
import type { AppendResult, LogEntry, MessageDraft } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { AnyDraft, HeadInfo, LogPage, LogReset, ReadRange, RoomLog, UserRoom } from '../room-log.ts'
import { AuthorMarkers } from './author-markers.ts'
import { EntryDecoder } from './entry-decoder.ts'
import { LogHealth } from './log-health.ts'
import { type RedisLogMetrics, redisLogMetrics } from './redis-log-metrics.ts'
import { type RedisLogLimits, type RedisLogOptions, redisLogLimits } from './redis-log-options.ts'
import { RedisRoomSubscriptions } from './redis-room-subscriptions.ts'
import { RedisSweeper } from './redis-sweeper.ts'
import { ReplicaWait } from './replica-wait.ts'
import { type Appended, type RetentionOptions, RoomStore } from './room-store.ts'
import type { RoomSubscriptionOptions } from './room-subscription.ts'
import { EntryCodec } from './stored-entry.ts'

export type { RedisLogOptions } from './redis-log-options.ts'

export interface RedisLog extends RoomLog {
  /** Trims old entries of all rooms. Also runs on a timer, on one host of the cluster at a time. */
  sweep(): Promise<number>
}

export function openRedisLog(options: RedisLogOptions): RedisLog {
  return new RedisRoomLog(options)
}

class RedisRoomLog implements RedisLog {
  readonly #options: RedisLogOptions
  readonly #limits: RedisLogLimits
  readonly #metrics: RedisLogMetrics
  readonly #store: RoomStore
  readonly #codec: EntryCodec
  readonly #decoder: EntryDecoder
  readonly #rooms: RedisRoomSubscriptions
  readonly #authorMarkers: AuthorMarkers
  readonly #replicas: ReplicaWait
  readonly #sweeper: RedisSweeper
  readonly #health: LogHealth
  readonly #throttle = new LogThrottle(LOG_EVERY_MS)
  readonly #repairs: Semaphore
  /** Reads in flight, by room, range and known position. */
  readonly #sharedReads = new Map<string, Promise<LogPage>>()
  readonly #entryListeners = this.#listeners<[entry: LogEntry]>()
  readonly #resetListeners = this.#listeners<[reset: LogReset]>()
  readonly #healthListeners = this.#listeners<[reason: string | null]>()
  #openAppends = 0
  #closed = false

  constructor(options: RedisLogOptions) {
    const { connection, cluster, registry } = options
    this.#options = options
    this.#limits = { ...redisLogLimits, ...options.limits }
    this.#metrics = redisLogMetrics(registry)
    this.#store = new RoomStore(connection, cluster)
    this.#codec = new EntryCodec(options.keys, (room) => entriesChannel(cluster, room))
    this.#decoder = new EntryDecoder({ codec: this.#codec, metrics: this.#metrics, logger: options.logger })
    this.#repairs = new Semaphore({ permits: this.#limits.repairs, queueMax: this.#limits.watchedRooms })
    const { count: replicas = 0, timeoutMs = 0 } = options.waitReplicas ?? {}
    this.#replicas = new ReplicaWait({ connection, cluster, replicas, timeoutMs })
    this.#rooms = this.#createSubscriptions()
    this.#authorMarkers = new AuthorMarkers({
      move: ({ userId, room, seq }) => this.#store.mark(userId, room, seq),
      onFailed: (err) => this.#warn(err, 'a read marker could not follow its author yet'),
      gauge: this.#metrics.pendingMarks,
    })
    this.#sweeper = this.#createSweeper()
    const probe = () =>
      connection.run((commands) => commands.set(clusterKey(cluster, 'probe'), '1', 'PX', PROBE_KEPT_MS))
    this.#health = new LogHealth(probe, (reason) => {
      this.#metrics.healthy.set(reason === null ? 1 : 0)
      this.#healthListeners.call(reason)
    })
    connection.onHealth((reason) => this.#health.setConnection(reason))
  }

  async append(room: string, draft: MessageDraft): Promise<AppendResult> {
    if (this.#closed) throw new RookeryError('unavailable', 'the log is closed')
    if (this.#openAppends >= this.#limits.openAppends) throw busy()
    this.#count(1)
    try {
      const appended = await this.#append(room, draft)
      const { seq, at, duplicate } = appended
      await this.#replicas.confirm(room)
      this.#metrics.appends.inc({ outcome: duplicate ? 'duplicate' : 'stored' })
      return { seq, at, duplicate }
    } catch (error) {
      this.#metrics.appends.inc({ outcome: error instanceof RookeryError ? error.code : 'internal' })
      this.#health.noteFailed(error)
      throw error
    } finally {
      this.#count(-1)
    }
  }

  async head(room: string): Promise<HeadInfo> {
    const position = await this.#store.position(room, this.#rooms.knownPosition(room))
    this.#rooms.noteEpoch(room, position.epoch)
    return position
  }

  /** Equal reads share one answer while no entry arrives in between. */
  read(room: string, range: ReadRange): Promise<LogPage> {
    const known = this.#rooms.knownPosition(room)
    if (known === null) return this.#read(room, range)
    const key = JSON.stringify([room, range, known])
    const shared = this.#sharedReads.get(key)
    if (shared !== undefined) return shared.then(copyOf)
    const page = this.#read(room, range).finally(() => this.#sharedReads.delete(key))
    this.#sharedReads.set(key, page)
    return page.then(copyOf)
  }

  async userRooms(userId: string): Promise<UserRoom[]> {
    const own = await this.#store.markers(userId)
    return Promise.all(
      own.map(async ([room, marker]) => ({ room, ...(await this.#store.unread(room, marker)) })),
    )
  }

  async trackRoom(userId: string, room: string): Promise<void> {
    const { roomsPerUser } = this.#limits
    if (await this.#store.track(userId, room, roomsPerUser)) return
    throw new RookeryError('forbidden', `a user can have ${roomsPerUser} rooms; leave one for good first`)
  }

  forgetRoom(userId: string, room: string): Promise<void> {
    return this.#store.forget(userId, room)
  }

  async markRead(userId: string, room: string, seq: number): Promise<number> {
    const { head } = await this.#store.unread(room, 0)
    let read = await this.#store.mark(userId, room, Math.min(seq, head))
    if (read > head) read = await this.#markAgain(userId, room, { seq, read })
    if (read < 0) throw new RookeryError('not_joined', 'this is not one of the rooms of the user')
    return read
  }

  watch(room: string): Promise<void> {
    return this.#rooms.watch(room)
  }

  unwatch(room: string): void {
    this.#rooms.unwatch(room)
  }

  onEntry(listener: (entry: LogEntry) => void): void {
    this.#entryListeners.add(listener)
  }

  onReset(listener: (reset: LogReset) => void): void {
    this.#resetListeners.add(listener)
  }

  onHealth(listener: (reason: string | null) => void): void {
    this.#healthListeners.add(listener)
    listener(this.#health.reason)
  }

  async sweep(): Promise<number> {
    return this.#sweeper.sweep()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#authorMarkers.close()
    this.#health.close()
    await this.#sweeper.close()
    await this.#rooms.close()
  }

  async #append(room: string, draft: AnyDraft): Promise<Appended> {
    const { kind, target, from } = draft
    const encoded = { ...this.#codec.encode(room, draft), kind, target }
    const appended = await this.#store.append(
      room,
      encoded,
      this.#retention(),
      this.#rooms.knownPosition(room),
    )
    const { seq, at, epoch, duplicate } = appended
    this.#health.noteWritten()
    if (kind === 'text') this.#authorMarkers.follow({ userId: from.id, room, seq })
    if (duplicate) this.#rooms.noteEpoch(room, epoch)
    else {
      this.#metrics.trimmed.inc(appended.trimmed)
      this.#rooms.appended(epoch, { room, seq, ...draft, at })
    }
    return appended
  }

  /** Markers are never set beyond the head: such a marker belongs to a lost log. */
  async #markAgain(
    userId: string,
    room: string,
    { seq, read }: { seq: number; read: number },
  ): Promise<number> {
    const { head } = await this.#store.unread(room, 0)
    return read > head ? this.#store.mark(userId, room, Math.min(seq, head), read) : read
  }

  async #read(room: string, range: ReadRange): Promise<LogPage> {
    const { pageEntries: entries, pageBytes: bytes } = this.#limits
    const page = await this.#store.read(room, range, { entries, bytes }, this.#rooms.knownPosition(room))
    this.#rooms.noteEpoch(room, page.epoch)
    const { epoch, head, first, more } = page
    return { epoch, head, first, more, entries: this.#decoder.page(room, page.values) }
  }

  #createSubscriptions(): RedisRoomSubscriptions {
    const { connection, cluster } = this.#options
    return new RedisRoomSubscriptions({
      subscriptions: connection.subscriptions,
      channelOf: (room) => entriesChannel(cluster, room),
      decode: (room, message) => this.#decoder.message(room, message),
      optionsFor: (room) => this.#subscriptionOptions(room),
      checkIntervalMs: this.#limits.checkIntervalMs,
      maxRooms: this.#limits.watchedRooms,
      onCount: (rooms) => this.#metrics.watched.set(rooms),
      onUnreadable: (err) => this.#warn(err, 'the position of rooms could not be compared'),
    })
  }

  #subscriptionOptions(room: string): RoomSubscriptionOptions {
    return {
      room,
      read: (range) => this.#repairs.run(() => this.#read(room, range)),
      position: () => this.#store.position(room, this.#rooms.knownPosition(room)),
      deliver: (entry) => this.#entryListeners.call(entry),
      reset: ({ epoch, head, delivered }) => {
        if (delivered > 0) this.#entriesLost({ room, epoch, head })
        this.#resetListeners.call({ room, epoch, head })
      },
      onRepair: () => this.#metrics.repairs.inc(),
      onUnreadable: (err) => this.#warn(err, 'missing entries could not be read from the log yet'),
      onUnknown: () => this.#metrics.unknown.inc(),
    }
  }

  #entriesLost(position: { room: string; epoch: string; head: number }): void {
    this.#metrics.resets.inc()
    this.#options.logger.warn(position, 'entries of a room were lost: it has a new epoch')
  }

  #createSweeper(): RedisSweeper {
    const { connection, cluster } = this.#options
    return new RedisSweeper({
      connection,
      store: this.#store,
      cluster,
      retention: () => this.#retention(),
      intervalMs: this.#limits.sweepIntervalMs,
      onTrimmed: (count) => this.#metrics.trimmed.inc(count),
      onError: (err) => this.#warn(err, 'old entries could not be trimmed'),
    })
  }

  #retention(): RetentionOptions {
    const { retention, connection, clock = connection.clock } = this.#options
    return {
      expectedMs: clock.now(),
      mostDriftMs: this.#limits.clockDriftMs,
      keepMessages: retention.messages,
      keepMs: clock.canJudgeAges() ? retention.days * DAY_MS : Infinity,
    }
  }

  #count(step: 1 | -1): void {
    this.#openAppends += step
    this.#metrics.openAppends.set(this.#openAppends)
  }

  #warn(err: unknown, message: string): void {
    if (this.#closed) return
    this.#throttle.run((heldBack) => this.#options.logger.warn({ err, heldBack }, message))
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((err) => {
      this.#metrics.listenerErrors.inc()
      this.#options.logger.error({ err }, 'a listener of the room log threw an error')
    })
  }
}

const DAY_MS = 86_400_000
const LOG_EVERY_MS = 5_000
const PROBE_KEPT_MS = 60_000
const BUSY_RETRY_MS = 500

const busy = () => new RookeryError('unavailable', 'the log is busy', { retryAfterMs: BUSY_RETRY_MS })

/** Each caller of a shared read gets its own list. */
function copyOf(page: LogPage): LogPage {
  return { ...page, entries: [...page.entries] }
}
