/** Makes the ioredis clients: how they wait, give up on a silent connection, come back, and are named. */
import { Cluster, Redis } from 'ioredis'
import type { ClientOptions, RedisAddress, RedisSettings } from './address.ts'
import { retryDelayMs } from './retry.ts'

export type RedisCommands = Redis | Cluster

const CONNECT_TIMEOUT_MS = 5_000
/** How often a Redis Cluster is asked who owns which slots, beside when something shows that it has changed. */
const SLOTS_REFRESH_MS = 5_000
/** A silent connection is given up after so many times the time that a command may take. */
const SILENCE_FACTOR = 2

/** Such a failure does not pass by itself soon. */
const START_TRIES = 6

const stopped = new WeakSet<RedisCommands>()

const retryStrategy = (failures: number) => retryDelayMs(failures, Math.random())

function commonOptions(settings: RedisSettings): ClientOptions {
  return {
    connectionName: `rookery:${settings.clusterName}:${settings.hostName}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // From the first unanswered command on; what hears sends a ping now and then for this.
    socketTimeout: SILENCE_FACTOR * settings.redisTimeoutMs,
    disableClientInfo: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // What is under way when a connection is lost is refused at once; connecting again goes on for ever.
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
      // A master that has become a replica: the next connection finds the new one.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    })
  }
  const { enableOfflineQueue: _, ...redisOptions } = { ...common, ...address.options }
  return new Cluster([...address.nodes], {
    redisOptions,
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: retryStrategy,
    // A command that ioredis sends once more comes twice, or after later ones. The caller knows what it means to try again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: settings.redisTimeoutMs,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Otherwise ioredis opens a connection for subscriptions that are never made through it.
    shardedSubscribers: true,
  })
}

/**
 * Connects. ioredis tries again by itself after what happens to a connection, and gives up for good when none could be begun,
 * as with TLS settings that can't be used: then it is started anew, until `stopClient`.
 */
export function startClient(client: RedisCommands, failed: (error: Error) => void): void {
  const connect = () => {
    // A failure is told by the events `error` and `close` as well; this one may come without them.
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

/** The connection that hears; in a Redis Cluster that of the master at `node`. Connects when told to. */
export function subscriberClient(
  address: RedisAddress,
  settings: RedisSettings,
  node?: { host: string; port: number },
): Redis {
  return new Redis({
    ...commonOptions(settings),
    ...address.options,
    ...node,
    lazyConnect: true,
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
  })
}
