/** Access to Redis: passwords, ACL users and their permissions, TLS, sockets. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RedisUnfit } from '../../src/redis/server-check.ts'
import { aclRules } from '../../src/redis/server-permissions.ts'
import { openTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import { type RedisHost, redisHost } from '../harness/redis/host-connection.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { makeCertificates, type TestCertificates } from '../harness/redis/tls.ts'
import { until } from '../harness/until.ts'

/** Sends a command and receives a message. */
async function works({ connection }: RedisHost): Promise<void> {
  await connection.ready
  const channel = 'rookery:{rookery}:test'
  const heard: string[] = []
  await connection.subscriptions.subscribe(channel, (bytes) => heard.push(bytes.toString()))
  await connection.run((commands) => commands.spublish(channel, 'x'))
  await until(() => heard.length > 0, 'the message arrives')
}

const PASSWORD = 'p@ss/w:rd #1%'
const login = (redis: TestRedis, user = '') =>
  redis.url.replace('://', `://${user}:${encodeURIComponent(PASSWORD)}@`)

async function certificates(): Promise<TestCertificates> {
  const made = await makeCertificates('redis.example')
  onTestFinished(() => made.remove())
  return made
}

describe('a login', () => {
  it('accepts a password with any characters', async () => {
    const redis = await startTestRedis({ acl: ['chat on nopass ~* &* +@all'] })
    await redis.cli('config', 'set', 'requirepass', PASSWORD)
    await works(openTestConnection({ REDIS_URL: login(redis) }))
  })

  it('with the wrong password is retried, says why without the password, and succeeds once it is correct', async () => {
    const redis = await startTestRedis({ acl: ['chat on >other ~* &* +@all'] })
    const host = openTestConnection({ REDIS_URL: login(redis, 'chat') })
    await until(() => JSON.stringify(host.lines).includes('WRONGPASS'), 'the health says why')
    expect(JSON.stringify(host.lines)).not.toContain(PASSWORD)
    await redis.cli('acl', 'setuser', 'chat', `>${PASSWORD}`)
    await works(host)
  })

  it('needs only the documented permissions', async () => {
    const redis = await startTestRedis()
    await redis.cli(
      'acl',
      'setuser',
      'chat',
      'on',
      `>${PASSWORD}`,
      'resetchannels',
      ...aclRules('rookery').split(' '),
    )
    const host = openTestConnection({ REDIS_URL: login(redis, 'chat') })
    await works(host)
    for (const forbidden of ['flushall', 'keys', 'shutdown']) {
      await expect(host.connection.run((commands) => commands.call(forbidden, '*'))).rejects.toThrow('NOPERM')
    }
    await expect(host.connection.run((commands) => commands.get('other'))).rejects.toThrow('NOPERM')
  })

  it.each([
    [
      ['-hset', '-zadd'],
      [/^ {2}HSET rookery:rookery:\{r:check\}:check:/m, /^ {2}ZADD rookery/m],
    ],
    [['-spublish'], [/^ {2}SPUBLISH rookery/m]],
    [['-evalsha', '-eval'], [/^ {2}EVALSHA rookery/m]],
    [['resetkeys', '~other:*'], [/^ {2}EVALSHA rookery/m]],
    [['-ssubscribe'], [/^ {2}SSUBSCRIBE rookery:\{rookery\}:hosts#check: NOPERM/m]],
    [
      ['resetchannels', '&other:*'],
      [/^ {2}SSUBSCRIBE rookery/m, /^ {2}SPUBLISH rookery/m],
    ],
  ])('without permissions (%s) reports each missing one, and which are enough', async (rules, named) => {
    const redis = await startTestRedis()
    await redis.cli('acl', 'setuser', 'chat', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', ...rules)
    const host = openTestConnection({ REDIS_URL: login(redis, 'chat') })
    const error: unknown = await host.connection.ready.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RedisUnfit)
    for (const pattern of named) expect(String(error)).toMatch(pattern)
    expect(String(error)).toContain(`ACL SETUSER <user> ${aclRules('rookery')}`)
  })

  it('may lack the permission to read the settings, which is logged', async () => {
    const redis = await startTestRedis({ config: { 'maxmemory-policy': 'allkeys-lru' } })
    await redis.cli('acl', 'setuser', 'chat', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', '-config')
    const host = openTestConnection({ REDIS_URL: login(redis, 'chat') })
    await works(host)
    const told = host.lines.filter(({ msg }) => msg.startsWith('could not look at the settings of Redis'))
    expect(told.map(({ level }) => level)).toEqual(['info'])
  })
})

describe('TLS', () => {
  it('trusts the authority in the file, and the given name', async () => {
    const made = await certificates()
    const redis = await startTestRedis({ tls: made })
    await works(openTestConnection({ REDIS_URL: redis.url, REDIS_TLS_CA: made.caFile }))
    await works(
      openTestConnection({
        REDIS_URL: redis.url,
        REDIS_TLS_CA: made.caFile,
        REDIS_TLS_SERVERNAME: 'redis.example',
      }),
    )
  })

  it('presents its own certificate when Redis requires one', async () => {
    const made = await certificates()
    made.askClients = true
    const redis = await startTestRedis({ tls: made })
    const env = { REDIS_URL: redis.url, REDIS_TLS_CA: made.caFile }
    const without = openTestConnection(env)
    await until(() => without.lines.some(({ level }) => level === 'warn'), 'the connection is refused')
    expect(without.health.commands).not.toBeNull()
    await works(
      openTestConnection({
        ...env,
        REDIS_TLS_CERT: made.clientCertificateFile,
        REDIS_TLS_KEY: made.clientKeyFile,
      }),
    )
  })

  it.each([
    [{}, /self-signed certificate|unable to verify/, 'REDIS_TLS_CA'],
    [{ REDIS_TLS_SERVERNAME: 'other.example' }, /Hostname\/IP does not match/, 'REDIS_TLS_SERVERNAME'],
  ])('rejects a server that it cannot verify, and names the setting: %o', async (env, reason, setting) => {
    const made = await certificates()
    const redis = await startTestRedis({ tls: made })
    const ca: Record<string, string> = 'REDIS_TLS_SERVERNAME' in env ? { REDIS_TLS_CA: made.caFile } : {}
    const host = openTestConnection({ REDIS_URL: redis.url, ...ca, ...env })
    const why = () => host.lines.find((line) => reason.test(String(line['reason'])))
    await until(() => why() !== undefined, 'the health says why')
    expect(why()?.['hint']).toContain(setting)
    expect(host.health).not.toMatchObject({ commands: null })
    expect(await redis.cli('client', 'list')).not.toContain('name=rookery')
  })

  it('is refused at the start when a file is missing or holds no certificate', async () => {
    const made = await certificates()
    const garbage = join(made.directory, 'garbage')
    await writeFile(garbage, '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n')
    const url = { REDIS_URL: 'rediss://127.0.0.1:1' }
    expect(() => redisHost({ ...url, REDIS_TLS_CA: garbage })).toThrow(garbage)
    await rm(garbage)
    expect(() => redisHost({ ...url, REDIS_TLS_CA: garbage })).toThrow(garbage)
  })
})

it('a Unix socket works as an address', async () => {
  const redis = await startTestRedis()
  await works(openTestConnection({ REDIS_URL: `unix:${redis.socketPath}` }))
})
