/** Creates the ioredis clients, with their time-outs, reconnect delays and names. */
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { ClientOptions, RedisAddress, RedisSettings } from './address.ts'
import { NodeNames } from './node-names.ts'
import { retryDelayMs } from './retry.ts'

export type RedisCommands = Redis | Cluster

const CONNECT_TIMEOUT_MS = 5_000
/**
 * How often the slot owners of a Redis Cluster are refreshed, in addition to signs that they have changed.
 */
const SLOTS_REFRESH_MS = 5_000
/** A silent connection is closed after this multiple of the command time-out. */
const SILENCE_FACTOR = 2

/** Counts as this many failures for the retry delay: the cause rarely disappears soon. */
const START_TRIES = 6

const stopped = new WeakSet<RedisCommands>()

const retryStrategy = (failures: number) => retryDelayMs(failures, Math.random())

function commonOptions(settings: RedisSettings): ClientOptions {
  return {
    connectionName: `rookery:${settings.clusterName}:${settings.hostName}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Runs from the first unanswered command. Subscriber connections send pings for this purpose.
    socketTimeout: SILENCE_FACTOR * settings.redisTimeoutMs,
    disableClientInfo: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Commands in flight are refused at once when the connection is lost. Reconnecting never stops.
    maxRetriesPerRequest: 0,
  }
}

export function commandsClient(address: RedisAddress, settings: RedisSettings): RedisCommands {
  const common = commonOptions(settings)
  if (address.kind === 'single') {
    return new Redis({
      ...common,
      ...address.options,
      lazyConnect: true,
      retryStrategy,
      sentinelRetryStrategy: retryStrategy,
      // The master has become a replica: the next connection finds the new master.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    })
  }
  const { enableOfflineQueue: _, ...redisOptions } = { ...common, ...address.options }
  const names = new NodeNames()
  const nodes = address.nodes.map((node) => names.named(node, tlsOf(address.options)))
  return new Cluster(nodes, {
    redisOptions,
    dnsLookup: names.lookup,
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: retryStrategy,
    // A command that ioredis repeats may run twice, or after later ones. Only the caller knows whether a
    // retry is safe.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: settings.redisTimeoutMs,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Otherwise ioredis opens a subscriber connection that is never used.
    shardedSubscribers: true,
  })
}

/**
 * Connects. ioredis reconnects by itself after a lost connection, but stops for good if a connection could
 * not even be started, as with invalid TLS settings. In that case it is started again, until `stopClient`.
 */
export function startClient(client: RedisCommands, failed: (error: Error) => void): void {
  const connect = () => {
    // Most failures also emit `error` and `close`; this one may not.
    client.connect().catch(failed)
  }
  client.on('end', () => {
    if (!stopped.has(client)) setTimeout(connect, retryDelayMs(START_TRIES, Math.random())).unref()
  })
  connect()
}

export function stopClient(client: RedisCommands): void {
  stopped.add(client)
  client.disconnect()
}

/** Address of a master, with TLS options of its own if it has a name of its own. */
export type NodeAddress = Pick<RedisOptions, 'tls'> & { host: string; port: number }

function tlsOf({ tls }: ClientOptions): ConnectionOptions | undefined {
  return typeof tls === 'object' ? tls : undefined
}

/** A subscriber connection; in a Redis Cluster to the master at `node`. Does not connect yet. */
export function subscriberClient(address: RedisAddress, settings: RedisSettings, node?: NodeAddress): Redis {
  return new Redis({
    ...commonOptions(settings),
    ...address.options,
    ...node,
    lazyConnect: true,
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
  })
}
