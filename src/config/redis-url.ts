/** Parses the addresses in REDIS_URL. Pure. */

export interface RedisUrl {
  /** Empty for a Unix socket. */
  readonly host: string
  readonly port: number
  /** Path of a Unix socket. */
  readonly socketPath?: string
  readonly tls: boolean
  readonly user?: string
  readonly password?: string
  readonly database: number
  /** `?family=`: which addresses of the name are used; 0: both kinds. Undefined: IPv4. */
  readonly family?: 0 | 4 | 6
}

const DEFAULT_PORT = 6379
const URLS_MAX = 64

/** @returns undefined when one of them is not a Redis address */
export function parseRedisUrls(text: string): readonly RedisUrl[] | undefined {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.length > URLS_MAX) return undefined
  const parsed = parts.map(parseRedisUrl)
  return parsed.every((url) => url !== undefined) ? parsed : undefined
}

function parseRedisUrl(text: string): RedisUrl | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.hash !== '') return undefined
  if (url.protocol === 'unix:') return url.search === '' ? parseSocket(url) : undefined
  const family = url.search === '' ? {} : families[url.search]
  if (family === undefined) return undefined
  const database = /^\/?([0-9]{0,5})$/.exec(url.pathname)?.[1]
  if (!['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || database === undefined)
    return undefined
  const user = decoded(url.username)
  const password = decoded(url.password)
  if (user === undefined || password === undefined) return undefined
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls: url.protocol === 'rediss:',
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
    database: Number(database),
    ...family,
  }
}

const families: Readonly<Record<string, { family: 0 | 4 | 6 }>> = {
  '?family=0': { family: 0 },
  '?family=4': { family: 4 },
  '?family=6': { family: 6 },
}

function parseSocket(url: URL): RedisUrl | undefined {
  const socketPath = decoded(url.pathname)
  if (url.host !== '' || socketPath === undefined || !socketPath.startsWith('/')) return undefined
  return { host: '', port: 0, socketPath, tls: false, database: 0 }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone percent sign.
    return undefined
  }
}
