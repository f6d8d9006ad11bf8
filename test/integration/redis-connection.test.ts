/** A host's connections to a real Redis: how many, how they fail, and how they recover. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { runScript, script } from '../../src/redis/script.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import { openTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import { type RedisHost, redisHost } from '../harness/redis/host-connection.ts'
import { startOldRedis } from '../harness/redis/old-redis.ts'
import { until } from '../harness/until.ts'

const ping = ({ connection }: RedisHost) => connection.run((commands) => commands.ping())

const messages = ({ lines }: RedisHost, level: string) =>
  lines.filter((line) => line.level === level).map(({ msg }) => msg)

/** The error of a refusal: its code, and whether it is retryable. */
async function refusal(work: Promise<unknown>): Promise<RookeryError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof RookeryError)) throw new Error(`not refused: ${String(error)}`)
  return error
}

describe('a connection', () => {
  it('is one pair per host, named after cluster and host', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url, CLUSTER_NAME: 'chat', HOST_NAME: 'host-b' })
    await host.connection.ready
    const channels = Array.from({ length: 300 }, (_, index) => `channel ${index}`)
    await Promise.all(
      channels.map((channel) => host.connection.subscriptions.subscribe(channel, () => undefined)),
    )
    const clients = (await redis.cli('client', 'list'))
      .split('\n')
      .filter((line) => line.includes(' name=rookery'))
    const shown = clients.map((line) => / name=(\S+) .* ssub=(\d+) /.exec(line)?.slice(1).join(' '))
    expect(new Set(shown)).toEqual(new Set(['rookery:chat:host-b 0', 'rookery:chat:host-b 300']))
    expect(shown).toHaveLength(2)
    expect(host.connection.isCluster).toBe(false)
    expect(await host.metric('rookery_redis_connected')).toBe(2)
    expect(await host.metric('rookery_redis_subscriptions')).toBe(300)
  })

  it('waits for a Redis that is not running yet, says why, and is ready when it starts', async () => {
    const redis = await startTestRedis()
    await redis.kill()
    const host = openTestConnection({ REDIS_URL: redis.url })
    let ready = false
    void host.connection.ready.then(() => (ready = true))
    await until(() => messages(host, 'warn').length > 0, 'the health says why')
    expect(host.lines.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('ECONNREFUSED'))
    expect(host.health.commands).not.toBeNull()
    expect((await refusal(ping(host))).code).toBe('unavailable')
    expect(ready).toBe(false)
    await redis.start()
    await host.connection.ready
    expect(await ping(host)).toBe('PONG')
  })

  it('reconnects after each restart, with all subscriptions', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url })
    await host.connection.ready
    const heard: string[] = []
    const restored: string[] = []
    host.connection.subscriptions.onRestored((channels) => restored.push(...channels))
    await host.connection.subscriptions.subscribe('a', (bytes) => heard.push(bytes.toString()))
    for (const round of ['1', '2', '3']) {
      await redis.restart()
      await until(() => restored.length === Number(round), 'the subscription is restored')
      await redis.cli('spublish', 'a', round)
      await until(() => heard.includes(round), 'the message arrives')
    }
    expect(heard).toEqual(['1', '2', '3'])
    await host.untilWell()
    expect(await ping(host)).toBe('PONG')
    expect(await host.metric('rookery_redis_connects_total', { role: 'subscriber' })).toBe(4)
  })

  it('refuses within its time-out while Redis is paused, then at once, and works again when it resumes', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '500' })
    await host.connection.ready
    redis.pause()
    onTestFinished(() => redis.resume())
    const error = await refusal(ping(host))
    expect([error.code, error.retryable]).toEqual(['unavailable', true])
    await until(() => host.health.commands !== null, 'the health says that Redis does not answer')
    let settled = false
    const refused = refusal(ping(host)).then(() => (settled = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(true)
    await refused
    redis.resume()
    await host.untilWell()
    expect(await ping(host)).toBe('PONG')
    expect(await host.metric('rookery_redis_commands_in_flight')).toBe(0)
    expect(await host.metric('rookery_redis_commands_total', { outcome: 'unavailable' })).toBeGreaterThan(1)
  })

  it('refuses commands in flight when Redis dies, and leaves nothing waiting', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '60000' })
    await host.connection.ready
    redis.pause()
    const waiting = Array.from({ length: 100 }, () => refusal(ping(host)))
    await redis.kill()
    const errors = await Promise.all(waiting)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['unavailable']))
    await until(
      async () => (await host.metric('rookery_redis_commands_in_flight')) === 0,
      'nothing is in flight',
    )
  })

  it('distinguishes a command that Redis refuses, a Redis that cannot serve, and a mistake', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url })
    await host.connection.ready
    await redis.cli('set', 'text', 'x')
    const wrong = await refusal(host.connection.run((commands) => commands.hget('text', 'field')))
    expect(wrong.code).toBe('internal')
    expect(wrong.cause).toMatchObject({ message: expect.stringContaining('WRONGTYPE') as string })
    await redis.cli('config', 'set', 'maxmemory', '1')
    const full = await refusal(host.connection.run((commands) => commands.set('more', 'x')))
    expect(full.code).toBe('unavailable')
    const mistake = host.connection.run(() => {
      throw new TypeError('no such thing')
    })
    await expect(mistake).rejects.toThrow(TypeError)
  })

  it('closes at once, refuses waiting and new commands, and leaves no connection behind', async () => {
    const redis = await startTestRedis()
    const host = redisHost({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '60000' })
    await host.connection.ready
    redis.pause()
    const { subscriptions } = host.connection
    const waiting = [refusal(ping(host)), refusal(subscriptions.subscribe('a', () => undefined))]
    host.connection.close()
    for (const error of await Promise.all(waiting)) expect(error.code).toBe('unavailable')
    expect((await refusal(ping(host))).code).toBe('unavailable')
    expect((await refusal(subscriptions.subscribe('b', () => undefined))).code).toBe('unavailable')
    redis.resume()
    await until(
      async () => !(await redis.cli('client', 'list')).includes('name=rookery'),
      'no connection is left',
    )
  })
})

describe('a script', () => {
  const echo = script('echo', '-- Answers with ARGV[1] and the name of KEYS[1].\nreturn {ARGV[1], KEYS[1]}')

  it('runs by its digest, and in full where Redis does not have it, with bytes in and out', async () => {
    const redis = await startTestRedis()
    const host = openTestConnection({ REDIS_URL: redis.url })
    await host.connection.ready
    const bytes = Buffer.from([0, 255, 128, 13, 10])
    for (const flush of [false, false, true]) {
      if (flush) await redis.cli('script', 'flush')
      const answer = await host.connection.run((commands) =>
        runScript(commands, echo, { keys: ['k'], args: [bytes] }),
      )
      expect(answer).toEqual([bytes, Buffer.from('k')])
    }
    const calls = await redis.cli('info', 'commandstats')
    expect(/cmdstat_eval:calls=(\d+)/.exec(calls)?.[1]).toBe('3')
    expect(await redis.cli('script', 'exists', echo.digest)).toBe('1')
  })
})

describe('a server', () => {
  it.each([
    [['redis_version:6.2.14'], 'Redis 6.2.14'],
    [['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:7.1.9'], 'Valkey 7.1.9'],
  ])('that is too old is refused: %s', async (info, named) => {
    const old = await startOldRedis(...info)
    onTestFinished(() => old.stop())
    const host = openTestConnection({ REDIS_URL: old.url })
    await expect(host.connection.ready).rejects.toThrow(
      `this server is ${named}; Rookery needs Redis 7.0 or Valkey 7.2`,
    )
  })

  it('that may lose data causes a warning for each danger, with the setting to change', async () => {
    const redis = await startTestRedis({
      config: { 'maxmemory-policy': 'allkeys-lru', 'client-output-buffer-limit': 'pubsub 1mb 0 0' },
    })
    const host = openTestConnection({ REDIS_URL: redis.url })
    await host.connection.ready
    const warnings = messages(host, 'warn').join('\n')
    expect(warnings).toContain('set maxmemory-policy noeviction')
    expect(warnings).toContain('set appendonly yes')
    expect(warnings).toContain('client-output-buffer-limit pubsub 1048576 0')
  })

  it('that keeps everything causes no warning', async () => {
    const redis = await startTestRedis({ appendonly: 'always' })
    const host = openTestConnection({ REDIS_URL: redis.url })
    await host.connection.ready
    expect(messages(host, 'warn')).toEqual([])
  })
})
