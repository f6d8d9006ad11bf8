/** The chat's metrics. Labels have a bounded number of values: unknown events count as `unknown`. */
import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'

export type ChatMetrics = ReturnType<typeof chatMetrics>

export function chatMetrics(registry: Registry) {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  return {
    requests: new Counter({
      name: 'rookery_chat_requests_total',
      help: 'Requests from clients, by event and by result: ok or the error code',
      labelNames: ['event', 'code'],
      registers: [registry],
    }),
    api: new Counter({
      name: 'rookery_chat_api_requests_total',
      help: 'Calls of the HTTP API, by result: ok or the error code',
      labelNames: ['code'],
      registers: [registry],
    }),
    joins: counter('rookery_chat_joins_total', 'Successful joins of rooms'),
    untracked: counter(
      'rookery_chat_untracked_joins_total',
      'Joins of rooms that could not be stored as the user’s own, because the log refused writes',
    ),
    delivered: counter('rookery_chat_messages_delivered_total', 'Messages written to members’ sockets'),
    pageWaits: counter(
      'rookery_chat_page_waits_total',
      'Times that a request which reads a room waited, because its user made too many',
    ),
    gaps: counter('rookery_chat_gaps_total', 'Gap events sent to clients that were too slow'),
    slowDisconnects: counter(
      'rookery_chat_slow_disconnects_total',
      'Connections closed because they were too slow for too long',
    ),
    slowMembers: gauge(
      'rookery_chat_slow_members',
      'Memberships that get no messages now because their client is slow',
    ),
    openRooms: gauge('rookery_chat_rooms_open', 'Rooms with a member on this worker'),
    people: gauge('rookery_chat_people_known', 'People whom this worker knows by name, connected or not'),
    sessions: gauge('rookery_chat_sessions', 'Users’ sessions on this worker'),
  }
}
