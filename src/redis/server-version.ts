/** Whether a server is new enough for sharded Pub/Sub, and of the right kind. Pure. */

const LEAST_REDIS = [7, 0] as const
const LEAST_VALKEY = [7, 2] as const

/** @param info reply of `INFO server`. @returns the problem and what to do; undefined if there is none */
export function tooOld(info: string): string | undefined {
  const valkey =
    fieldOf(info, 'valkey_version') ?? (fieldOf(info, 'server_name') === 'valkey' ? '' : undefined)
  const version = valkey === undefined ? fieldOf(info, 'redis_version') : valkey
  const least = valkey === undefined ? LEAST_REDIS : LEAST_VALKEY
  const product = valkey === undefined ? 'Redis' : 'Valkey'
  if (version === undefined || version === '') return undefined
  if (isAtLeast(version, least)) return undefined
  return `this server is ${product} ${version}; Rookery needs Redis 7.0 or Valkey 7.2 or newer (sharded Pub/Sub): update it, or name another in REDIS_URL`
}

/**
 * Whether the server is of the kind that the settings name.
 * @param info reply of `INFO server`. @returns the problem and what to do; undefined if there is none
 */
export function wrongKind(info: string): string | undefined {
  if (fieldOf(info, 'redis_mode') !== 'sentinel') return undefined
  return 'REDIS_URL names a Sentinel, which stores nothing: set REDIS_SENTINELS to the addresses of the Sentinels, and REDIS_SENTINEL_NAME to the name of the master; of REDIS_URL only user, password and database then count'
}

/** @param info reply of `INFO server` */
export function isClusterNode(info: string): boolean {
  return fieldOf(info, 'redis_mode') === 'cluster'
}

/** @param info reply of `CLUSTER INFO` of a server that is used alone */
export function partOfCluster(info: string): string | undefined {
  const masters = Number(fieldOf(info, 'cluster_size') ?? 0)
  if (masters < 2) return undefined
  return `REDIS_URL names one node of a Redis Cluster of ${masters} masters: set REDIS_CLUSTER=true`
}

function isAtLeast(version: string, [leastMajor, leastMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

/** A field of a reply to `INFO`. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1]
}
