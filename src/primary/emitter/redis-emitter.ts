/**
 * Takes in what `@socket.io/redis-emitter` publishes (EMITTER=on). Every host of the cluster hears each publication
 * itself, so it goes to the workers of this host alone. Nobody signs it: whoever may publish in this Redis can do
 * what an emitter can. What can't be read is counted and logged, and ends nothing.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Relay } from '../relay/index.ts'
import { redisEmitterMetrics } from './metrics.ts'
import { publicationsOf } from './outside-message.ts'
import { decodeRedisMessage, patternsOf, type RefusalReason, RefusedMessage } from './redis-message.ts'

const LOG_MS = 10_000
/** Of names and reasons in a log line. */
const CHANNEL_CHARS = 200
const DETAIL_CHARS = 500

export interface RedisEmitterOptions {
  /** The emitters' `key`. */
  key: string
  connection: Pick<RedisConnection, 'subscribePatterns'>
  relay: Pick<Relay, 'publishFromOutside'>
  logger: Logger
  registry: Registry
}

/** Lasts as long as the connection. */
export function admitRedisEmitters({ key, connection, relay, logger, registry }: RedisEmitterOptions): void {
  const log = logger.child({ part: 'emitter' })
  const metrics = redisEmitterMetrics(registry)
  const refusals = new LogThrottle(LOG_MS)
  const problems = new LogThrottle(LOG_MS)
  const failures = new LogThrottle(LOG_MS)
  const refused = (reason: RefusalReason, channel: string, detail: string) => {
    metrics.messages.inc({ outcome: reason })
    refusals.run((heldBack) =>
      log.warn(
        { channel: channel.slice(0, CHANNEL_CHARS), reason, detail: detail.slice(0, DETAIL_CHARS), heldBack },
        'a message of a redis-emitter was refused',
      ),
    )
  }
  connection.subscribePatterns(patternsOf(key), {
    message(channel, bytes) {
      try {
        const publications = publicationsOf(decodeRedisMessage(key, channel, bytes))
        for (const publication of publications) relay.publishFromOutside({ ...publication, reach: 'host' })
        metrics.messages.inc({ outcome: 'passed' })
      } catch (error) {
        if (error instanceof RefusedMessage) return refused(error.reason, channel, error.message)
        if (error instanceof RookeryError) return refused('too_large', channel, error.message)
        metrics.messages.inc({ outcome: 'failed' })
        return failures.run((heldBack) =>
          log.error(
            { err: error, channel: channel.slice(0, CHANNEL_CHARS), heldBack },
            'a message of a redis-emitter failed',
          ),
        )
      }
    },
    changed(isSubscribed) {
      metrics.subscribed.set(isSubscribed ? 1 : 0)
      if (!isSubscribed) metrics.losses.inc()
      log.info({ key, isSubscribed }, 'the subscription to redis-emitters has changed')
    },
    failed: ({ message }) =>
      problems.run((heldBack) =>
        log.warn({ reason: message, heldBack }, "can't subscribe to redis-emitters, retrying"),
      ),
  })
}
