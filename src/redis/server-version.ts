/** Whether a server is new enough for sharded Pub/Sub. Pure. */

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

function isAtLeast(version: string, [leastMajor, leastMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1]
}
