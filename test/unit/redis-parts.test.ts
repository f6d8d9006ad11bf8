/** The pure parts of the access to Redis. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { retryDelayMs } from '../../src/redis/retry.ts'
import { SCRIPT_COMMANDS } from '../../src/redis/server-permissions.ts'
import { tooOld } from '../../src/redis/server-version.ts'
import { serverWarnings } from '../../src/redis/server-warnings.ts'
import { SIGNATURE_BYTES, type SigningKeys, sign, signingKeys, verify } from '../../src/redis/signing.ts'
import { slotOf } from '../../src/redis/slot.ts'

const server = (...lines: string[]) => ['# Server', ...lines, 'redis_mode:standalone', ''].join('\r\n')

const keys = (...secrets: [string, ...string[]]): SigningKeys => ({ cluster: 'chat', secrets })

describe('the delay before Redis is retried', () => {
  it('grows to 2 s and no further, and is never zero', () => {
    const least = Array.from({ length: 12 }, (_, index) => retryDelayMs(index + 1, 0))
    expect(least).toEqual([25, 50, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000])
    expect(retryDelayMs(1_000_000, 0.999)).toBeLessThanOrEqual(2_000)
    expect(retryDelayMs(1_000_000, 0.999)).toBeGreaterThan(1_990)
  })
})

describe('the slot', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{user1000}.following', slotOf('user1000')],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', slotOf('{bar')],
    ['foo{bar}{zap}', slotOf('bar')],
  ])('of %s is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })
})

describe('a version', () => {
  it.each([
    [server('redis_version:7.0.0')],
    [server('redis_version:8.2.1')],
    [server('redis_version:255.255.255')],
    [server('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:7.2.5')],
    [server('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:9.0.1')],
    // A Redis provider that does not report its version.
    [server()],
  ])('is new enough: %j', (info) => {
    expect(tooOld(info)).toBeUndefined()
  })

  it.each([
    [server('redis_version:6.2.14'), 'Redis 6.2.14'],
    [server('redis_version:5.0'), 'Redis 5.0'],
    [server('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:7.0.0'), 'Valkey 7.0.0'],
  ])('is too old, and is reported by name: %j', (info, name) => {
    expect(tooOld(info)).toContain(`this server is ${name};`)
  })
})

describe('settings of Redis', () => {
  const safe = {
    'maxmemory-policy': 'noeviction',
    appendonly: 'yes',
    appendfsync: 'always',
    save: '3600 1',
    'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
  }
  const told = (changed: Record<string, string>) =>
    serverWarnings(new Map(Object.entries({ ...safe, ...changed }))).map(({ level, message }) => [
      level,
      message,
    ])

  it('that are safe are not mentioned, nor are unknown ones', () => {
    expect(told({})).toEqual([])
    expect(told({ 'client-output-buffer-limit': 'pubsub 0 0 0' })).toEqual([])
    expect(serverWarnings(new Map())).toEqual([])
  })

  it.each([
    [
      { 'maxmemory-policy': 'volatile-ttl' },
      'warn',
      /maxmemory-policy volatile-ttl\): set maxmemory-policy noeviction/,
    ],
    [{ appendonly: 'no', save: '' }, 'warn', /keeps nothing over its own restart .* set appendonly yes/],
    [{ appendonly: 'no' }, 'warn', /after its last snapshot .*save 3600 1\): set appendonly yes/],
    [{ appendfsync: 'no' }, 'warn', /set appendfsync everysec or always/],
    [{ appendfsync: 'everysec' }, 'info', /appendfsync always loses none/],
    [
      { 'client-output-buffer-limit': 'pubsub 1000000 0 0' },
      'warn',
      /pubsub 1000000 0\): set it to 32mb 8mb 60/,
    ],
    [{ 'client-output-buffer-limit': 'pubsub 0 1000 60' }, 'warn', /pubsub 0 1000\)/],
  ])('that are dangerous are reported with what to change: %o', (changed, level, message) => {
    expect(told(changed)).toEqual([[level, expect.stringMatching(message)]])
  })
})

describe('a signature', () => {
  const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string]
  const bytes = Buffer.from('what is said')

  it('is valid for the same bytes, purpose, cluster and secret, and for nothing else', () => {
    const signature = sign(keys(one), 'entries', bytes)
    expect(signature.byteLength).toBe(SIGNATURE_BYTES)
    expect(verify(keys(one), 'entries', bytes, signature)).toBe(true)
    expect(verify(keys(two), 'entries', bytes, signature)).toBe(false)
    expect(verify(keys(one), 'hosts', bytes, signature)).toBe(false)
    expect(verify({ ...keys(one), cluster: 'other' }, 'entries', bytes, signature)).toBe(false)
    expect(verify(keys(one), 'entries', Buffer.from('what is sais'), signature)).toBe(false)
    expect(verify(keys(one), 'entries', bytes, signature.subarray(1))).toBe(false)
    expect(verify(keys(one), 'entries', bytes, Buffer.alloc(SIGNATURE_BYTES))).toBe(false)
  })

  it('cannot be moved to other bytes or another purpose', () => {
    const signature = sign({ cluster: 'chat', secrets: [one] }, 'ab', Buffer.from('c'))
    expect(verify({ cluster: 'chat', secrets: [one] }, 'a', Buffer.from('bc'), signature)).toBe(false)
    expect(verify({ cluster: 'chata', secrets: [one] }, 'b', Buffer.from('c'), signature)).toBe(false)
  })

  it('is accepted from either secret while one replaces the other, and made with the first', () => {
    const replacing = signingKeys({ clusterName: 'chat', clusterSecret: two, clusterSecretOther: one })
    if (replacing === undefined) throw new Error('no keys')
    expect(verify(replacing, 'entries', bytes, sign(keys(one), 'entries', bytes))).toBe(true)
    expect(verify(replacing, 'entries', bytes, sign(keys(two), 'entries', bytes))).toBe(true)
    expect(verify(replacing, 'entries', bytes, sign(keys(three), 'entries', bytes))).toBe(false)
    expect(verify(keys(two), 'entries', bytes, sign(replacing, 'entries', bytes))).toBe(true)
  })

  it('is not made without a secret', () => {
    const settings = { clusterName: 'chat', clusterSecret: undefined, clusterSecretOther: undefined }
    expect(signingKeys(settings)).toBeUndefined()
  })
})

describe('the checked permissions', () => {
  it('are those that the scripts need', () => {
    const folder = new URL('../../src/log/redis/', import.meta.url)
    const files = readdirSync(folder).map((name) => new URL(name, folder))
    const limits = new URL('../../src/primary/limits/redis-counters.ts', import.meta.url)
    const texts = [...files, limits].map((file) => readFileSync(file, 'utf8'))
    const used = texts.flatMap((text) =>
      [...text.matchAll(/redis\.p?call\(\s*'([A-Za-z]+)'/g)].map(([, name]) => name),
    )
    expect(used.length).toBeGreaterThan(0)
    const tried = SCRIPT_COMMANDS.map((line) => line.split(' ')[0])
    expect(used.filter((name) => !tried.includes(name?.toUpperCase()))).toEqual([])
  })
})
