import { resolve } from 'node:path'
import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appSettings } from '../../src/config/app-settings.ts'
import { defaultWorkers } from '../../src/config/default-workers.ts'
import {
  type ConfigInput,
  exportConfig,
  hiddenFromWorkers,
  importConfig,
  loadConfig,
} from '../../src/config/load.ts'
import { ConfigError, type Problem } from '../../src/config/problem.ts'
import { settingKeys, settingOf } from '../../src/config/schema.ts'
import { environmentName, flagName } from '../../src/config/setting.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

function problemsOf(input: ConfigInput): readonly Problem[] {
  try {
    loadConfig(input)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const namesItself = (path: string) => JSON.stringify({ clusterName: path })

const messageOf = (env: NodeJS.ProcessEnv) => problemsOf({ env }).map((problem) => problem.message)

describe('sources', () => {
  it('give the documented defaults when nothing is set', () => {
    const { config, sources } = loadConfig({ env: {} })
    expect(config).toMatchObject({
      port: 3000,
      host: '0.0.0.0',
      workers: defaultWorkers(),
      clusterName: 'rookery',
      dataDir: resolve('data'),
      auth: 'guest',
      adminPort: 9464,
      adminHost: '127.0.0.1',
      logLevel: 'info',
    })
    expect(config.redisUrl).toBeUndefined()
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
  })

  it('have an order: a flag beats the environment, the environment beats the file, the file beats defaults', () => {
    const { config, sources } = loadConfig({
      env: { WORKERS: '2', DRAIN_MS: '2' },
      flags: { drainMs: '3' },
      file: 'settings.json',
      readFile: () => JSON.stringify({ port: 1, workers: 1, drainMs: 1 }),
    })
    expect([config.port, config.workers, config.drainMs]).toEqual([1, 2, 3])
    expect([sources.port, sources.workers, sources.drainMs, sources.host]).toEqual([
      'file',
      'environment',
      'flag',
      'default',
    ])
  })

  it('include the file that ROOKERY_CONFIG names, unless --config names another', () => {
    expect(loadConfig({ env: { ROOKERY_CONFIG: 'a' }, readFile: namesItself }).config.clusterName).toBe('a')
    expect(
      loadConfig({ env: { ROOKERY_CONFIG: 'a' }, file: 'b', readFile: namesItself }).config.clusterName,
    ).toBe('b')
    expect(loadConfig({ env: { ROOKERY_CONFIG: '' }, readFile: namesItself }).config.clusterName).toBe(
      'rookery',
    )
  })

  it('treat an empty environment value as not set, and refuse an empty flag', () => {
    expect(loadConfig({ env: { PORT: '', JWT_SECRET: '' } }).config.port).toBe(3000)
    expect(problemsOf({ env: {}, flags: { port: '' } })).toHaveLength(1)
  })

  it('keep the names that scripts rely on', () => {
    const names = settingKeys.map(environmentName)
    const relied = [
      'PORT HOST WORKERS REDIS_URL CLUSTER_NAME DATA_DIR AUTH JWT_SECRET JWKS_URL API_KEY',
      'ADMIN_PORT ADMIN_HOST LOG_LEVEL',
    ]
    expect(names).toEqual(expect.arrayContaining(relied.join(' ').split(' ')))
    expect(flagName('maxPacketBytes')).toBe('--max-packet-bytes')
  })

  it('give frozen settings, lists included', () => {
    const { config } = loadConfig({ env: { CORS_ORIGIN: 'https://a.example, https://b.example:8443' } })
    expect(config.corsOrigin).toEqual(['https://a.example', 'https://b.example:8443'])
    expect(Object.isFrozen(config) && Object.isFrozen(config.corsOrigin)).toBe(true)
    expect(loadConfig({ env: { CORS_ORIGIN: '*' } }).config.corsOrigin).toBe('*')
  })

  it('pass the settings to a worker as one text, unchanged', () => {
    const env = {
      PORT: '0',
      AUTH: 'jwt',
      JWT_SECRET: SECRET,
      CORS_ORIGIN: 'https://a.example',
      APP: './app.js',
    }
    const { config } = loadConfig({ env })
    expect(importConfig(exportConfig(config))).toEqual(config)
    expect(() => importConfig('{"prot":1}')).toThrow('did you mean port')
  })

  it("pass a worker none of the hosts' secrets", () => {
    const env = {
      REDIS_URL: 'redis://:hunter2@redis.example',
      REDIS_SENTINELS: '10.0.0.1:26379',
      REDIS_SENTINEL_PASSWORD: 'hunter2',
      CLUSTER_SECRET: SECRET,
      CLUSTER_SECRET_OTHER: `other ${SECRET}`,
      CLUSTER_SECRET_OLD: `old ${SECRET}`,
      AUTH: 'jwt',
      JWT_SECRET: `jwt ${SECRET}`,
    }
    const { config } = loadConfig({ env })
    const text = exportConfig(config)
    expect(text).not.toMatch(/hunter2|:"(other |old )?0123/)
    expect(importConfig(text)).toMatchObject({ jwtSecret: `jwt ${SECRET}`, redisSentinels: '10.0.0.1:26379' })
  })
})

describe('a secret', () => {
  const secretKeys = settingKeys.filter((key) => settingOf(key).secret === true)
  const files: Record<string, string> = {
    '/run/jwt': `${SECRET}\n`,
    '/run/windows': `${SECRET}\r\n`,
    '/run/lines': `${SECRET}\n\n`,
    '/run/empty': '\n',
    '/run/long': 'x'.repeat(65_537),
  }
  const readFile = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
    return text
  }
  const load = (env: NodeJS.ProcessEnv) => loadConfig({ env: { AUTH: 'jwt', ...env }, readFile })
  const refusals = (env: NodeJS.ProcessEnv) => problemsOf({ env: { AUTH: 'jwt', ...env }, readFile })

  it('can be in a file of its own, without the line break at the end', () => {
    for (const path of ['/run/jwt', '/run/windows']) {
      const { config, sources } = load({ JWT_SECRET_FILE: path })
      expect([config.jwtSecret, sources.jwtSecret]).toEqual([SECRET, 'environment'])
    }
    expect(load({ JWT_SECRET_FILE: '/run/lines' }).config.jwtSecret).toBe(`${SECRET}\n`)
    expect(load({ ROOKERY_JWT_SECRET_FILE: '/run/jwt', JWT_SECRET: 'short' }).config.jwtSecret).toBe(SECRET)
    expect(load({ JWT_SECRET_FILE: '', JWT_SECRET: SECRET }).config.jwtSecret).toBe(SECRET)
  })

  it.each([
    ['/run/none', "can't be read: ENOENT"],
    ['/run/empty', 'the file is empty'],
    ['/run/long', 'more than 65536 characters'],
  ])('in the file %s is refused with the reason', (file, reason) => {
    const [problem] = refusals({ JWT_SECRET_FILE: file })
    expect(problem).toMatchObject({ setting: 'JWT_SECRET_FILE', source: 'environment' })
    expect(problem?.message).toContain(reason)
  })

  it('can be given in one way only, and only secrets have files', () => {
    const [problem] = refusals({ JWT_SECRET_FILE: '/run/jwt', JWT_SECRET: SECRET })
    expect(problem).toMatchObject({ setting: 'JWT_SECRET_FILE' })
    expect(problem?.message).toContain('JWT_SECRET is set too')
    expect(problemsOf({ env: { ROOKERY_PORT_FILE: '/run/jwt' }, readFile })).toMatchObject([
      { setting: 'ROOKERY_PORT_FILE' },
    ])
  })

  it('of an application may have the name of one of the chat, in a file too', () => {
    const env = { APP: './app.js', JWT_SECRET_FILE: '/run/none', API_KEY_FILE: '/run/empty' }
    const { config, warnings } = loadConfig({ env, readFile })
    expect(config.jwtSecret).toBeUndefined()
    expect(warnings.map(({ setting }) => setting)).toEqual(['JWT_SECRET_FILE', 'API_KEY_FILE'])
  })

  it('is refused on the command line, which everybody on the machine can read', () => {
    const texts: Record<string, string> = { redisUrl: 'redis://:hunter2@redis.example' }
    for (const key of secretKeys) {
      const [problem] = problemsOf({ env: {}, flags: { [key]: texts[key] ?? SECRET } })
      expect(problem).toMatchObject({ setting: flagName(key), source: 'flag' })
      expect(problem?.message).toContain(`${environmentName(key)}_FILE`)
    }
    const flags = { redisUrl: 'redis://redis.example' }
    expect(loadConfig({ env: {}, flags }).config.redisUrl).toBe(flags.redisUrl)
  })

  it("is hidden from workers, except what may be the application's", () => {
    const hidden = hiddenFromWorkers({ app: undefined })
    for (const key of secretKeys)
      for (const name of [environmentName(key), `ROOKERY_${environmentName(key)}_FILE`])
        expect(hidden).toContain(name)
    const beside = hiddenFromWorkers({ app: './app.js' })
    expect(beside).toEqual(
      expect.arrayContaining(['CLUSTER_SECRET', 'ROOKERY_REDIS_URL', 'ROOKERY_JWT_SECRET']),
    )
    for (const name of ['REDIS_URL', 'JWT_SECRET', 'API_KEY', 'REDIS_URL_FILE'])
      expect(beside).not.toContain(name)
  })
})

describe('the environment of an application', () => {
  const app = './app.js'

  it('may name a setting with a prefix, which wins and is checked', () => {
    const env = { ROOKERY_PORT: '4000', PORT: '5000', ROOKERY_LOG_LEVEL: '', LOG_LEVEL: 'debug' }
    const { config, sources } = loadConfig({ env })
    expect([config.port, sources.port, config.logLevel]).toEqual([4000, 'environment', 'debug'])
    expect(() => loadConfig({ env: { APP: app, ROOKERY_LOG_LEVEL: 'verbose' } })).toThrow('ROOKERY_LOG_LEVEL')
  })

  it('may mean something else by the names of the chat, and by those that many programs use', () => {
    const env = {
      APP: app,
      JWT_SECRET: 'short',
      JWT_ISSUER: 'me',
      AUTH: 'oauth',
      MESSAGE_RATE: '100',
      LOG_LEVEL: 'verbose',
      HOST: 'my host',
    }
    const { config, warnings } = loadConfig({ env })
    expect(config).toMatchObject({ jwtSecret: undefined, auth: 'guest', logLevel: 'info', host: '0.0.0.0' })
    // No rule of the chat holds: its issuer without tokens, its burst below its rate.
    expect(config).toMatchObject({ jwtIssuer: 'me', messageRate: 100 })
    const names = warnings.map(({ setting }) => setting)
    expect(new Set(names)).toEqual(new Set(['JWT_SECRET', 'AUTH', 'LOG_LEVEL', 'HOST']))
  })

  it('gives settings where the values are allowed', () => {
    const env = { APP: app, LOG_LEVEL: 'debug', REQUEST_RATE: '7' }
    expect(loadConfig({ env })).toMatchObject({ config: { logLevel: 'debug', requestRate: 7 }, warnings: [] })
  })

  it.each([{ PORT: 'http' }, { REDIS_URL: 'localhost' }, { WORKERS: 'all' }])(
    'is refused where nothing may be guessed: %j',
    (env) => {
      expect(() => loadConfig({ env: { APP: app, ...env } })).toThrow(Object.keys(env)[0])
    },
  )

  it('is checked in full for the chat', () => {
    expect(() => loadConfig({ env: { JWT_SECRET: 'short', LOG_LEVEL: 'verbose' } })).toThrow('2 problems')
  })
})

describe('problems', () => {
  it('are reported all at once, each with its name, its source and what is expected', () => {
    const problems = problemsOf({
      env: { PORT: '3000abc', ROOKERY_PROT: '1', LOG_LEVEL: 'loud' },
      flags: { wokers: '2', drainMs: '-1' },
      file: 'settings.json',
      readFile: () => '{"prot": 1, "backlog": "4096"}',
    })
    expect(problems).toEqual([
      { setting: 'prot', source: 'file', message: 'no such setting (did you mean port?)' },
      { setting: 'ROOKERY_PROT', source: 'environment', message: 'no such setting (did you mean PORT?)' },
      { setting: '--wokers', source: 'flag', message: 'no such setting (did you mean --workers?)' },
      {
        setting: 'PORT',
        source: 'environment',
        message: '"3000abc" is not allowed; expected a whole number from 0 to 65535',
      },
      {
        setting: 'backlog',
        source: 'file',
        message: '"4096" is not allowed; expected a whole number from 1 to 65535',
      },
      {
        setting: '--drain-ms',
        source: 'flag',
        message: '"-1" is not allowed; expected a whole number from 0 to 3600000',
      },
      {
        setting: 'LOG_LEVEL',
        source: 'environment',
        message: '"loud" is not allowed; expected one of trace, debug, info, warn, error, fatal, silent',
      },
    ])
  })

  it('are reported for a file that is missing, is not JSON or holds no object', () => {
    expect(problemsOf({ env: {}, file: '/nowhere/x.json' })[0]?.message).toContain('no such file')
    for (const content of ['{', '[]', '3', 'null']) {
      expect(problemsOf({ env: {}, file: 'x.json', readFile: () => content })).toHaveLength(1)
    }
  })

  it('never show a secret', () => {
    const error = (() => {
      try {
        return loadConfig({ env: { AUTH: 'jwt', JWT_SECRET: 'hunter2', REDIS_URL: 'http://:hunter2@redis' } })
      } catch (caught) {
        return String(caught)
      }
    })()
    expect(error).toContain('JWT_SECRET')
    expect(error).not.toContain('hunter2')
  })

  it('are reported for numbers with a sign, exponent, space, fraction or in hexadecimal', () => {
    for (const text of ['+1', '1e3', ' 1', '1 ', '1.0', '0x10', '-0', '1_000', '٣']) {
      expect(messageOf({ WORKERS: text }), text).toHaveLength(1)
    }
    assert(
      property(string({ minLength: 1 }), (text) => {
        const allowed = /^[0-9]+$/.test(text) && Number(text) >= 1 && Number(text) <= 1024
        expect(messageOf({ WORKERS: text })).toHaveLength(allowed ? 0 : 1)
      }),
    )
  })
})

describe('relations', () => {
  it.each([
    [{ AUTH: 'jwt' }, 'AUTH=jwt needs JWT_SECRET or JWKS_URL'],
    [{ AUTH: 'jwt', JWKS_URL: 'https://id.example/jwks' }, 'JWKS_URL needs JWT_AUDIENCE'],
    [{ AUTH: 'jwt', JWKS_URL: 'http://id.example/jwks', JWT_AUDIENCE: 'chat' }, 'begins with https://'],
    [
      { AUTH: 'jwt', JWKS_URL: 'http://127.0.0.1.example/jwks', JWT_AUDIENCE: 'chat' },
      'begins with https://',
    ],
    [
      { AUTH: 'jwt', JWKS_URL: 'https://id.example/jwks', JWT_AUDIENCE: 'chat', JWT_SECRET_OTHER: SECRET },
      'JWT_SECRET_OTHER does nothing without JWT_SECRET',
    ],
    [
      { AUTH: 'jwt', JWT_SECRET: SECRET, JWKS_URL: 'https://id.example/jwks', JWT_AUDIENCE: 'chat' },
      'exclude each other',
    ],
    [{ AUTH: 'jwt', JWT_SECRET: SECRET.slice(1) }, 'expected at least 32 bytes'],
    [{ JWT_SECRET: SECRET }, 'does nothing with AUTH=guest'],
    [{ JWT_AUDIENCE: 'chat' }, 'does nothing with AUTH=guest'],
    [{ PROXY_PROTOCOL_FROM: '10.0.0.0/33' }, 'expected a list of addresses and networks'],
    [{ PROXY_PROTOCOL_FROM: '10.0.0.1,proxy' }, 'expected a list of addresses and networks'],
    [{ PROXY_PROTOCOL_FROM: 'fe80::1%eth0' }, 'expected a list of addresses and networks'],
    [{ CORS_CREDENTIALS: 'true' }, 'needs a list of origins in CORS_ORIGIN'],
    [{ CORS_ORIGIN: '*', CORS_CREDENTIALS: 'true' }, 'needs a list of origins in CORS_ORIGIN'],
    [{ PORT: '9464' }, 'ADMIN_PORT must differ from PORT'],
    [{ DRAIN_MS: '10001' }, 'must be at least 15001'],
    [{ STOP_DELAY_MS: '1' }, 'must be at least 15001'],
    [{ TEXT_MAX_CHARS: '20000' }, 'must be at least 241024'],
    [{ SLOW_CLIENT_BYTES: '65535' }, 'must be at least MAX_PACKET_BYTES'],
    [{ SLOW_CLIENT_MAX_BYTES: '262144' }, 'must be above SLOW_CLIENT_BYTES'],
    [{ MESSAGE_RATE: '41' }, 'must be at least MESSAGE_RATE'],
    [{ REQUEST_RATE: '101' }, 'must be at least REQUEST_RATE'],
  ])('%o is refused', (env, reason) => {
    const messages = messageOf(env)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toContain(reason)
  })

  it.each([
    { AUTH: 'jwt', JWT_SECRET: SECRET },
    { AUTH: 'jwt', JWT_SECRET: 'é'.repeat(16) },
    {
      AUTH: 'jwt',
      JWKS_URL: 'https://id.example/jwks',
      JWT_ISSUER: 'https://id.example',
      JWT_AUDIENCE: 'chat',
    },
    { AUTH: 'jwt', JWKS_URL: 'http://127.0.0.1:8080/jwks', JWT_AUDIENCE: 'chat' },
    { PORT: '0', ADMIN_PORT: '0' },
    { DRAIN_MS: '9999' },
    { DRAIN_MS: '0', STOP_DEADLINE_MS: '5000' },
    { DRAIN_MS: '1000', STOP_DELAY_MS: '4000', STOP_DEADLINE_MS: '10000' },
  ])('%o is accepted', (env) => {
    expect(messageOf(env)).toEqual([])
  })

  it.each(['https://me:hunter2@id.example/jwks', 'https:me:hunter2@id.example', 'htps://me:hunter2@id'])(
    'JWKS_URL %s is refused, and its password is not repeated',
    (url) => {
      const [message, ...others] = messageOf({ AUTH: 'jwt', JWKS_URL: url })
      expect(others).toEqual([])
      expect(message).toContain('this value is not allowed')
      expect(message).toContain('without user and password')
      expect(message).not.toContain('hunter2')
    },
  )

  it('are not checked when a value is already invalid by itself', () => {
    expect(messageOf({ STOP_DEADLINE_MS: 'soon', DRAIN_MS: '20000' })).toHaveLength(1)
  })
})

describe('the table', () => {
  it('has a unit for each number that needs one, and valid defaults', () => {
    for (const key of settingKeys) {
      if (/Ms$|Bytes$/.test(key)) expect(settingOf(key).unit, key).toMatch(/^(ms|bytes)$/)
    }
    expect(() => loadConfig({ env: {} })).not.toThrow()
  })

  it('marks secret settings', () => {
    const secrets = settingKeys.filter((key) => settingOf(key).secret === true)
    expect(secrets).toEqual([
      'redisUrl',
      'redisSentinelPassword',
      'clusterSecret',
      'clusterSecretOther',
      'clusterSecretOld',
      'jwtSecret',
      'jwtSecretOther',
      'apiKey',
      'emitToken',
    ])
  })

  it('shows an application only what is meant for it', () => {
    const settings = appSettings(loadConfig({ env: { API_KEY: 'k' } }).config)
    expect(settings).toMatchObject({ apiKey: 'k', textMaxChars: 4000, slowClientMs: 30_000 })
    expect(Object.keys(settings)).not.toContain('dataDir')
  })
})
