/** What the chat counts. Labels have a bounded number of values: an unknown event counts as `unknown`. */
import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'

export type ChatMetrics = ReturnType<typeof chatMetrics>

export function chatMetrics(registry: Registry) {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  return {
    requests: new Counter({
      name: 'rookery_chat_requests_total',
      help: 'Requests of clients, by event and by outcome: ok or the code of the error',
      labelNames: ['event', 'code'],
      registers: [registry],
    }),
    api: new Counter({
      name: 'rookery_chat_api_requests_total',
      help: 'Calls of the HTTP API, by outcome: ok or the code of the error',
      labelNames: ['code'],
      registers: [registry],
    }),
    joins: counter('rookery_chat_joins_total', 'Joins of rooms that were answered'),
    untracked: counter(
      'rookery_chat_untracked_joins_total',
      'Joins that could not be remembered as one of the user’s own rooms, as the log took nothing',
    ),
    delivered: counter('rookery_chat_messages_delivered_total', 'Messages handed to members’ sockets'),
    gaps: counter('rookery_chat_gaps_total', 'Gaps told to clients that were too slow'),
    slowDisconnects: counter(
      'rookery_chat_slow_disconnects_total',
      'Connections closed as too slow for too long',
    ),
    slowMembers: gauge(
      'rookery_chat_slow_members',
      'Memberships that are passed over as their client is slow',
    ),
    openRooms: gauge('rookery_chat_rooms_open', 'Rooms with a member on this worker'),
    sessions: gauge('rookery_chat_sessions', 'Users’ sessions on this worker'),
  }
}
