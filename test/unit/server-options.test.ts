import { expect, test } from 'vitest'
import { givenKeys, loadConfig } from '../../src/config/load.ts'
import { checkOptions, chooseOptions } from '../../src/worker/app/server-options.ts'

function deployment(env: Record<string, string> = {}) {
  const { config, sources } = loadConfig({ env })
  return { config, given: givenKeys(sources) }
}

test.each([
  [{ adapter: () => undefined }, "options.adapter is Rookery's: it joins the workers and hosts; remove it"],
  [{ wsEngine: () => undefined }, "options.wsEngine is Rookery's"],
  [{ generateId: () => 'a' }, "options.generateId is Rookery's"],
  [{ pingIntervall: 1 }, 'options.pingIntervall is no option of Socket.IO (did you mean pingInterval?)'],
  [{ path: 'live' }, 'options.path: expected a path that begins with /'],
  [{ pingTimeout: '20s' }, 'options.pingTimeout: expected a number of milliseconds'],
  [{ transports: ['webtransport'] }, "options.transports.0: expected 'polling' or 'websocket'"],
  [{ parser: {} }, 'options.parser: expected an object with the classes Encoder and Decoder'],
  [{ allowRequest: true }, 'options.allowRequest: expected a function'],
  ['no object', '`options` must be an object'],
])('%j is refused: %s', (options, message) => {
  expect(() => checkOptions(options)).toThrow(message)
})

test('all problems are told at once', () => {
  expect(() => checkOptions({ adapter: 1, path: '', cors: 1 })).toThrow(/adapter.*path.*cors/)
})

test('what is undefined counts as left out, and what is checked comes back as it was', () => {
  const cors = { origin: /./, credentials: true }
  const checked = checkOptions({ adapter: undefined, path: undefined, cors, allowEIO3: false })
  expect(checked).toEqual({ cors, allowEIO3: false })
  expect(checked.cors).toBe(cors)
  expect(checkOptions(undefined)).toEqual({})
})

test('a check survives properties that a library put on every object', () => {
  const everyObject: object = Object.getPrototypeOf({})
  Object.defineProperty(everyObject, 'extended', {
    value: 1,
    enumerable: true,
    writable: true,
    configurable: true,
  })
  let checked: unknown
  try {
    checked = checkOptions({ path: '/live', pingInterval: 1 })
  } finally {
    Reflect.deleteProperty(everyObject, 'extended')
  }
  expect(checked).toEqual({ path: '/live', pingInterval: 1 })
})

test("an application has Socket.IO's own defaults, the chat those of the settings", () => {
  const { config } = deployment()
  expect(chooseOptions(deployment(), {}).server).toMatchObject({
    maxHttpBufferSize: 1_000_000,
    connectTimeout: 45_000,
    pingInterval: 25_000,
    serveClient: true,
  })
  expect(chooseOptions(deployment(), undefined).server).toMatchObject({
    maxHttpBufferSize: config.maxPacketBytes,
    connectTimeout: config.connectTimeoutMs,
    serveClient: false,
  })
})

test("a given setting goes before the application's option, and that before a default", () => {
  const options = { maxHttpBufferSize: 5_000, pingInterval: 7_000, cors: { origin: '*' } }
  const env = { MAX_PACKET_BYTES: '65536', CORS_ORIGIN: 'https://a.example' }
  const chosen = chooseOptions(deployment(env), options)
  expect(chosen.server).toMatchObject({ maxHttpBufferSize: 65_536, pingInterval: 7_000 })
  expect(chosen.overridden).toEqual({ maxHttpBufferSize: 'maxPacketBytes', cors: 'corsOrigin' })
  expect(chosen.door.cors).toEqual({ origin: ['https://a.example'], credentials: false })
  expect(chosen.door.heartbeatMs).toBe(27_000)
})

test.each([
  [{}, { path: '/socket.io/', protocols: ['4'], transports: ['polling', 'websocket'] }],
  [{ path: '/live' }, { path: '/live/' }],
  [{ path: '/live/', addTrailingSlash: false }, { path: '/live' }],
  [
    { allowEIO3: true, transports: ['websocket' as const] },
    { protocols: ['3', '4'], transports: ['websocket'] },
  ],
])('the primary is told where Socket.IO is: %j', (options, endpoint) => {
  expect(chooseOptions(deployment(), options).door.endpoint).toMatchObject(endpoint)
})

test.each([
  [undefined, undefined],
  [{}, { origin: '*', credentials: false }],
  [{ origin: 'https://a' }, { origin: ['https://a'], credentials: false }],
  [
    { origin: ['https://a', 'https://b'], credentials: true },
    { origin: ['https://a', 'https://b'], credentials: true },
  ],
  [{ origin: ['https://a', /b/] }, undefined],
  [{ origin: true }, undefined],
  [() => undefined, undefined],
])("the front door's own responses follow cors %j where it can know", (cors, policy) => {
  expect(chooseOptions(deployment(), cors === undefined ? {} : { cors }).door.cors).toEqual(policy)
})
