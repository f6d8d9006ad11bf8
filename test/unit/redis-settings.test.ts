/** The settings of Redis and of several hosts. */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { parseRedisUrls } from '../../src/config/redis-url.ts'
import { redisAddress } from '../../src/redis/address.ts'

function problems(env: Record<string, string>): string[] {
  try {
    loadConfig({ env })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ setting, message }) => `${setting}: ${message}`)
  }
}

const address = (env: Record<string, string>) => redisAddress(loadConfig({ env }).config)

describe('REDIS_URL', () => {
  it.each([
    ['redis://10.0.0.1', { host: '10.0.0.1', port: 6379, tls: false, database: 0 }],
    ['redis://10.0.0.1:7000/', { host: '10.0.0.1', port: 7000, tls: false, database: 0 }],
    ['rediss://redis.example/3', { host: 'redis.example', port: 6379, tls: true, database: 3 }],
    ['redis://:secret@[::1]:1', { host: '::1', port: 1, tls: false, password: 'secret', database: 0 }],
    [
      'redis://us%40er:p%2Fw%23@h',
      { host: 'h', port: 6379, tls: false, user: 'us@er', password: 'p/w#', database: 0 },
    ],
    ['rediss://h?family=0', { host: 'h', port: 6379, tls: true, database: 0, family: 0 }],
    ['redis://h/1?family=6', { host: 'h', port: 6379, tls: false, database: 1, family: 6 }],
    ['unix:/run/redis.sock', { host: '', port: 0, socketPath: '/run/redis.sock', tls: false, database: 0 }],
  ])('%s is read', (text, expected) => {
    expect(parseRedisUrls(text)).toEqual([expected])
  })

  it.each([
    'redis://',
    'redis:',
    'http://redis',
    'redis.example:6379',
    'redis://h/three',
    'redis://h/1/2',
    'redis://h?db=1',
    'redis://h?family=5',
    'redis://h?family=0&db=1',
    'unix:/run/redis.sock?family=0',
    'redis://u:p#w@h',
    'redis://u:%@h',
    'unix:redis.sock',
    'unix://h/redis.sock',
    'redis://a,',
    'redis://a,b',
    'redis://h:70000',
  ])('%s is refused, and not repeated', (text) => {
    const [message, ...others] = problems({ REDIS_URL: text })
    expect(others).toEqual([])
    expect(message).toMatch(/^REDIS_URL: this value is not allowed; expected redis:\/\//)
  })

  it.each([
    [{ REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER: REDIS_CLUSTER does nothing without REDIS_URL'],
    [{ REDIS_SENTINELS: 'a:1' }, 'REDIS_SENTINELS does nothing without REDIS_URL'],
    [{ EMITTER: 'on' }, 'EMITTER=on does nothing without REDIS_URL'],
    [{ REDIS_URL: 'redis://a', EMITTER: 'on', EMITTER_KEY: 'a*' }, 'EMITTER_KEY'],
    [
      { REDIS_URL: 'redis://a,redis://b', REDIS_SENTINELS: 'a:1' },
      'REDIS_SENTINELS excludes a Redis Cluster',
    ],
    [{ REDIS_URL: 'redis://a', REDIS_CLUSTER: 'true', REDIS_SENTINELS: 'a:1' }, 'excludes a Redis Cluster'],
    [{ REDIS_URL: 'redis://a/1,redis://b/1' }, 'a Redis Cluster has database 0 alone'],
    [{ REDIS_URL: 'redis://a/1', REDIS_CLUSTER: 'true' }, 'a Redis Cluster has database 0 alone'],
    [{ REDIS_URL: 'redis://:x@a,redis://b' }, 'share one user, one password, one family, and TLS or none'],
    [{ REDIS_URL: 'unix:/a,unix:/b' }, 'over TCP, not over a socket'],
    [{ REDIS_URL: 'redis://a', REDIS_TLS_CA: 'ca.pem' }, 'write rediss:// in REDIS_URL'],
    [
      { REDIS_URL: 'rediss://a', REDIS_TLS_CERT: 'c.pem' },
      'REDIS_TLS_CERT and REDIS_TLS_KEY belong together',
    ],
    [
      { REDIS_SENTINELS: 'a', REDIS_URL: 'redis://a' },
      'expected addresses such as 10.0.0.1:26379,10.0.0.2:26379',
    ],
    [{ REDIS_CLUSTER: 'yes', REDIS_URL: 'redis://a' }, 'expected true or false'],
    [{ CLUSTER_SECRET: 'x'.repeat(31) }, 'expected at least 32 bytes'],
    [{ CLUSTER_SECRET_OTHER: 'x'.repeat(32) }, 'does nothing without CLUSTER_SECRET'],
    [{ CLUSTER_SECRET_OLD: 'x'.repeat(32) }, 'does nothing without CLUSTER_SECRET'],
    [
      { CLUSTER_SECRET: 'x'.repeat(32), CLUSTER_SECRET_OLD: `${'y'.repeat(32)},${'z'.repeat(31)}` },
      'each at least 32 bytes',
    ],
    [{ FORWARD_PORT: '3000' }, 'FORWARD_PORT must differ from PORT and ADMIN_PORT'],
  ])('%o is refused', (env, message) => {
    const found = problems(env)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
  })
})

describe('an address of Redis', () => {
  it('is one server, by host or socket', () => {
    expect(address({ REDIS_URL: 'redis://u:p@h:1/2' })).toEqual({
      kind: 'single',
      options: { host: 'h', port: 1, username: 'u', password: 'p', db: 2 },
      shown: 'h:1',
    })
    expect(address({ REDIS_URL: 'unix:/run/r.sock' })).toMatchObject({ options: { path: '/run/r.sock' } })
  })

  it('is a Redis Cluster when the URL says so, or names several servers', () => {
    const one = address({ REDIS_URL: 'redis://:p@a:1', REDIS_CLUSTER: 'true' })
    expect(one).toEqual({
      kind: 'cluster',
      nodes: [{ host: 'a', port: 1 }],
      options: { password: 'p' },
      shown: 'a:1',
    })
    const two = address({ REDIS_URL: 'rediss://a:1, rediss://b:2' })
    expect(two).toMatchObject({ kind: 'cluster', options: { tls: {} }, shown: 'a:1 (TLS), b:2 (TLS)' })
  })

  it('is the one that the Sentinels return, with the password of each', () => {
    const found = address({
      REDIS_URL: 'rediss://u:p@ignored/4',
      REDIS_SENTINELS: 'a:1,[::1]:2',
      REDIS_SENTINEL_NAME: 'chat',
      REDIS_SENTINEL_PASSWORD: 'other',
    })
    expect(found).toMatchObject({
      kind: 'single',
      options: {
        username: 'u',
        password: 'p',
        db: 4,
        name: 'chat',
        sentinels: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
        sentinelPassword: 'other',
        enableTLSForSentinelMode: true,
        tls: {},
      },
    })
    expect(found.options).not.toHaveProperty('host')
    expect(found.options).not.toHaveProperty('sentinelTLS')
  })

  it('has the address family of its URL', () => {
    expect(address({ REDIS_URL: 'rediss://a?family=0' }).options).toMatchObject({ family: 0 })
    expect(problems({ REDIS_URL: 'redis://a?db=1' })[0]).toContain('the only parameter is ?family=0, 4 or 6')
  })

  it('is shown without its password', () => {
    expect(JSON.stringify(address({ REDIS_URL: 'redis://user:hunter2@h' }).shown)).not.toContain('hunter2')
  })
})
