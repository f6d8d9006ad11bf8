/** Metrics of what comes from outside the cluster. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface RedisEmitterMetrics {
  messages: Counter<'outcome'>
  subscribed: Gauge
  losses: Counter
}

export function redisEmitterMetrics(registry: Registry): RedisEmitterMetrics {
  const registers = [registry]
  return {
    messages: new Counter({
      name: 'rookery_emitter_messages_total',
      help: 'Messages of redis-emitters by outcome: passed to the workers of this host, or why it was refused',
      labelNames: ['outcome'],
      registers,
    }),
    subscribed: new Gauge({
      name: 'rookery_emitter_subscribed',
      help: 'Whether this host is subscribed to the channels of redis-emitters now',
      registers,
    }),
    losses: new Counter({
      name: 'rookery_emitter_losses_total',
      help: 'Times that the subscription was lost: what emitters published until it was back did not arrive',
      registers,
    }),
  }
}

export function emitRequestMetrics(registry: Registry) {
  return {
    requests: new Counter({
      name: 'rookery_emit_requests_total',
      help: 'Emits over HTTP by outcome: ok, or the code of the error',
      labelNames: ['code'],
      registers: [registry],
    }),
  }
}
