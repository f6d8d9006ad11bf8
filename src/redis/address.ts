/**
 * Makes ioredis options from the settings: address, login and TLS. Reads certificate files; does not connect.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import type { ClusterNode, RedisOptions } from 'ioredis'
import { parseRedisUrls, type RedisUrl } from '../config/redis-url.ts'
import type { Config } from '../config/schema.ts'

/** Settings that this folder uses. */
export type RedisSettings = Pick<
  Config,
  | 'clusterName'
  | 'hostName'
  | 'redisUrl'
  | 'redisCluster'
  | 'redisSentinels'
  | 'redisSentinelName'
  | 'redisSentinelUser'
  | 'redisSentinelPassword'
  | 'redisSentinelTls'
  | 'redisTlsCa'
  | 'redisTlsCert'
  | 'redisTlsKey'
  | 'redisTlsServername'
  | 'redisTimeoutMs'
>

/** Options for ioredis. Replies keep their RESP2 form. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

export type RedisAddress =
  | {
      readonly kind: 'single'
      readonly options: ClientOptions
      /** Address for log lines, without secrets. */
      readonly shown: string
    }
  | {
      readonly kind: 'cluster'
      readonly nodes: readonly ClusterNode[]
      readonly options: ClientOptions
      readonly shown: string
    }

/** @throws if a certificate file can't be read or used, or REDIS_URL is not set */
export function redisAddress(settings: RedisSettings): RedisAddress {
  const urls = parseRedisUrls(settings.redisUrl ?? '') ?? []
  const [first] = urls
  if (first === undefined) throw new Error('REDIS_URL is not set')
  const login = loginOf(first)
  const tls = tlsOf(settings)
  const options: ClientOptions = { ...login, ...(first.tls ? { tls } : {}) }
  if (settings.redisSentinels !== undefined) {
    const shown = `the master ${settings.redisSentinelName} of the Sentinels ${settings.redisSentinels}`
    return { kind: 'single', options: { ...options, ...sentinelOptions(settings, first.tls, tls) }, shown }
  }
  const shown = urls.map(shownUrl).join(', ')
  if (settings.redisCluster || urls.length > 1) {
    return { kind: 'cluster', nodes: urls.map(({ host, port }) => ({ host, port })), options, shown }
  }
  const { host, port, socketPath } = first
  const place = socketPath === undefined ? { host, port } : { path: socketPath }
  return { kind: 'single', options: { ...options, ...place }, shown }
}

function loginOf({ user, password, database, family }: RedisUrl): ClientOptions {
  return {
    ...(family === undefined ? {} : { family }),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(database === 0 ? {} : { db: database }),
  }
}

function sentinelOptions(
  settings: RedisSettings,
  tlsToMaster: boolean,
  tls: ConnectionOptions,
): ClientOptions {
  const { redisSentinels = '', redisSentinelName, redisSentinelUser, redisSentinelPassword } = settings
  return {
    sentinels: redisSentinels.split(',').map(hostAndPort),
    name: redisSentinelName,
    sentinelCommandTimeout: settings.redisTimeoutMs,
    ...(redisSentinelUser === undefined ? {} : { sentinelUsername: redisSentinelUser }),
    ...(redisSentinelPassword === undefined ? {} : { sentinelPassword: redisSentinelPassword }),
    ...(settings.redisSentinelTls ? { sentinelTLS: tls } : {}),
    enableTLSForSentinelMode: tlsToMaster,
  }
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  }
}

function tlsOf(settings: RedisSettings): ConnectionOptions {
  const { redisTlsCa, redisTlsCert, redisTlsKey, redisTlsServername } = settings
  const files = {
    ...(redisTlsCa === undefined ? {} : { ca: certificateIn(redisTlsCa) }),
    ...(redisTlsCert === undefined ? {} : { cert: certificateIn(redisTlsCert) }),
    ...(redisTlsKey === undefined ? {} : { key: readFileSync(redisTlsKey) }),
  }
  // Throws if key and certificate do not match.
  createSecureContext(files)
  return { ...files, ...(redisTlsServername === undefined ? {} : { servername: redisTlsServername }) }
}

/** OpenSSL ignores content that it can't read, and then trusts nobody. */
function certificateIn(file: string): Buffer {
  const content = readFileSync(file)
  try {
    void new X509Certificate(content)
  } catch (cause) {
    throw new Error(`${file} holds no certificate (PEM)`, { cause })
  }
  return content
}

function shownUrl({ host, port, socketPath, tls }: RedisUrl): string {
  return socketPath ?? `${host.includes(':') ? `[${host}]` : host}:${port}${tls ? ' (TLS)' : ''}`
}
