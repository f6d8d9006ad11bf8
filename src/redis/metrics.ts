/** Metrics of the connections to Redis. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** `role`: `commands` or `subscriber`. */
export interface RedisMetrics {
  connected: Gauge<'role'>
  connects: Counter<'role'>
  commands: Counter<'outcome'>
  inFlight: Gauge
  subscriptions: Gauge
  lost: Gauge
  restored: Counter
  refused: Counter
  messages: Counter
  messageBytes: Counter
  unexpected: Counter
  handlerErrors: Counter
  clockJumps: Counter
}

export function redisMetrics(registry: Registry): RedisMetrics {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  return {
    connected: new Gauge({
      name: 'rookery_redis_connected',
      help: 'Connections to Redis that are up',
      labelNames: ['role'],
      registers,
    }),
    connects: new Counter({
      name: 'rookery_redis_connects_total',
      help: 'Connections to Redis that came up, the first and each after a loss',
      labelNames: ['role'],
      registers,
    }),
    commands: new Counter({
      name: 'rookery_redis_commands_total',
      help: 'Commands and scripts by outcome: ok, or the code of the error',
      labelNames: ['outcome'],
      registers,
    }),
    inFlight: gauge('rookery_redis_commands_in_flight', 'Commands that Redis has not answered yet'),
    subscriptions: gauge('rookery_redis_subscriptions', 'Channels that this host should be subscribed to'),
    lost: gauge('rookery_redis_subscriptions_lost', 'Channels that are lost and not subscribed again yet'),
    restored: counter('rookery_redis_restored_total', 'Channels subscribed again after a loss, one per loss'),
    refused: counter(
      'rookery_redis_subscribe_errors_total',
      'Subscriptions that Redis has refused, one per attempt',
    ),
    messages: counter('rookery_redis_messages_total', 'Messages received'),
    messageBytes: counter('rookery_redis_message_bytes_total', 'Bytes of the messages received'),
    unexpected: counter(
      'rookery_redis_unexpected_messages_total',
      'Messages on channels that no handler listens to, or from a node that is no longer asked',
    ),
    handlerErrors: counter('rookery_redis_handler_errors_total', 'Errors thrown by message handlers'),
    clockJumps: counter(
      'rookery_redis_clock_jumps_total',
      'Jumps of the clock of Redis, as this host saw them',
    ),
  }
}
