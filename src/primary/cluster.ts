/**
 * Constructs the parts that a host needs as one of several: the connection to Redis, the room log there, the
 * backplane, and forwarding to other hosts.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { HostClock } from '../core/host-clock.ts'
import { openRedisLog, type RedisLog } from '../log/redis/redis-log.ts'
import { redisAddress } from '../redis/address.ts'
import { openRedis, type RedisConnection } from '../redis/connection.ts'
import { logSigningKeys, signingKeys } from '../redis/signing.ts'
import type { HostStatus } from '../wire/host-messages.ts'
import type { Backplane } from './backplane/index.ts'
import { RedisBackplane, sharedSecret } from './backplane/index.ts'
import type { ForwardingOptions } from './forward/index.ts'
import { endpoint, forwardLimits, idleLimitMs, onlyAddress, ownAddressTowards } from './forward/index.ts'

export interface ClusterOptions {
  config: Config
  /** Tag of this host. */
  self: string
  clock: HostClock
  logger: Logger
  registry: Registry
}

export interface Cluster {
  readonly connection: RedisConnection
  readonly log: RedisLog
  /** For the front door. Other hosts are known after `join`. */
  readonly forwarding: ForwardingOptions
  /**
   * @param forwardPort port on which this host accepts forwarded connections
   * @param status what the other hosts are told of this one
   */
  join(forwardPort: number, status: () => HostStatus): Promise<Backplane>
}

/** @throws if a file named in the settings can't be read */
export function openCluster({ config, self, clock, logger, registry }: ClusterOptions): Cluster {
  const connection = openRedis({ settings: config, logger, registry, hostNow: () => clock.now() })
  const cluster = config.clusterName
  const keys = signingKeys(config)
  const log = openRedisLog({
    connection,
    cluster,
    retention: { messages: config.retentionMessages, days: config.retentionDays },
    keys: logSigningKeys(config),
    waitReplicas: { count: config.redisWaitReplicas, timeoutMs: Math.floor(config.redisTimeoutMs / 2) },
    logger,
    registry,
  })
  let backplane: Backplane | undefined
  const addressOf = (tag: string) => backplane?.hosts().find(({ host }) => host === tag)?.forwardTo
  const join = async (forwardPort: number, status: () => HostStatus) => {
    const forwardTo = await advertised(config, forwardPort, logger)
    const host = { host: self, name: config.hostName, forwardTo }
    backplane = new RedisBackplane({ host, status, cluster, connection, keys, logger, registry })
    return backplane
  }
  const secrets = sharedSecret({ connection, cluster, keys, logger })
  return {
    connection,
    log,
    forwarding: {
      self,
      directory: { addressOf },
      secrets,
      limits: { ...forwardLimits, idleMs: idleLimitMs(config.pingIntervalMs + config.pingTimeoutMs) },
    },
    join,
  }
}

async function advertised(config: Config, port: number, logger: Logger): Promise<string | undefined> {
  const address =
    config.advertiseHost ??
    onlyAddress(config.forwardHost ?? config.host) ??
    (await ownAddressTowards(redisHost(config)))
  if (address !== undefined) return endpoint(address, port)
  logger.warn('the address for other hosts is unknown: set ADVERTISE_HOST')
  return undefined
}

/** Address of Redis; the first if there are several. */
function redisHost(config: Config): string {
  const address = redisAddress(config)
  if (address.kind === 'cluster') return hostOf(address.nodes[0])
  return address.options.sentinels?.[0]?.host ?? address.options.host ?? '127.0.0.1'
}

function hostOf(node: unknown): string {
  if (typeof node === 'object' && node !== null && 'host' in node && typeof node.host === 'string')
    return node.host
  return '127.0.0.1'
}
