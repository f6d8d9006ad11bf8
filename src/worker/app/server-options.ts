/**
 * The options of Socket.IO that an application exports beside its function: checked, merged with the settings,
 * and refused by name where they would break what joins the workers. A setting that the operator has given
 * goes before the application's option, and that before Socket.IO's default. Pure.
 */
import type { ServerOptions } from 'socket.io'
import { z } from 'zod'
import type { WorkerConfig } from '../../config/load.ts'
import { didYouMean } from '../../config/nearest.ts'
import type { SettingKey } from '../../config/schema.ts'
import { DEFAULT_ENDPOINT } from '../../core/destination.ts'
import type { CorsPolicy, WorkerDoor } from '../../wire/control.ts'

const isFunction = (value: unknown) => typeof value === 'function'
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const aFunction = z.custom(isFunction, 'expected a function')
const orObject = z.custom(
  (value) => typeof value === 'boolean' || isObject(value),
  'expected a boolean or an object',
)
const milliseconds = z.number('expected a number of milliseconds').min(0)
const flag = z.boolean('expected true or false')

const isParser = (value: unknown) =>
  isObject(value) && isFunction(Reflect.get(value, 'Encoder')) && isFunction(Reflect.get(value, 'Decoder'))

const Options = z
  .object({
    path: z.string().regex(/^\/[^?#\s]{0,1000}$/, 'expected a path that begins with /'),
    addTrailingSlash: flag,
    serveClient: flag,
    parser: z.custom(isParser, 'expected an object with the classes Encoder and Decoder'),
    connectTimeout: milliseconds,
    pingInterval: milliseconds,
    pingTimeout: milliseconds,
    upgradeTimeout: milliseconds,
    maxHttpBufferSize: z.number('expected a number of bytes').min(1),
    connectionStateRecovery: z.custom(isObject, 'expected an object'),
    cleanupEmptyChildNamespaces: flag,
    allowRequest: aFunction,
    transports: z.array(z.enum(['polling', 'websocket'], "expected 'polling' or 'websocket'")).min(1),
    allowUpgrades: flag,
    perMessageDeflate: orObject,
    httpCompression: orObject,
    cookie: orObject,
    cors: z.custom((value) => isFunction(value) || isObject(value), 'expected an object or a function'),
    allowEIO3: flag,
    destroyUpgrade: flag,
    destroyUpgradeTimeout: milliseconds,
  })
  .partial()

const KNOWN = Object.keys(Options.shape)

/** Why an option, or a call that means the same, is Rookery's. */
export const OWN = {
  adapter: 'it joins the workers and hosts; remove it',
  wsEngine: 'it bounds what waits for slow clients; remove it',
  generateId: 'the id of a session names its worker, which finds its connections by it; remove it',
} as const

const REFUSED: ReadonlyMap<string, string> = new Map(Object.entries(OWN))

/** What an application exports as `options`, or undefined. @throws with all problems */
export function checkOptions(exported: unknown): Partial<ServerOptions> {
  if (exported === undefined) return {}
  if (!isObject(exported)) throw new Error('`options` must be an object with options of Socket.IO')
  const set = Object.entries(exported).filter(([, value]) => value !== undefined)
  const refused = set.flatMap(([name]) => refusal(name))
  const known = Object.fromEntries(set.filter(([name]) => KNOWN.includes(name)))
  const result = Options.safeParse(known)
  const wrong = result.success
    ? []
    : result.error.issues.map(({ path, message }) => `options.${path.join('.')}: ${message}`)
  if (refused.length > 0 || wrong.length > 0) throw new Error([...refused, ...wrong].join('; '))
  return known
}

function refusal(name: string): string[] {
  const reason = REFUSED.get(name)
  if (reason !== undefined) return [`options.${name} is Rookery's: ${reason}`]
  if (KNOWN.includes(name)) return []
  return [`options.${name} is no option of Socket.IO${didYouMean(name, KNOWN)}`]
}

/** Options for which there is a setting. */
const SETTINGS = {
  maxHttpBufferSize: 'maxPacketBytes',
  pingInterval: 'pingIntervalMs',
  pingTimeout: 'pingTimeoutMs',
  connectTimeout: 'connectTimeoutMs',
} as const satisfies Partial<Record<keyof ServerOptions, SettingKey>>

const SOCKET_IO_DEFAULTS = {
  maxHttpBufferSize: 1_000_000,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  connectTimeout: 45_000,
} as const

export interface Deployment {
  config: WorkerConfig
  /** Keys of the settings that the operator has given. */
  given: readonly string[]
}

export interface ChosenOptions {
  server: Partial<ServerOptions> & { maxHttpBufferSize: number; pingInterval: number; pingTimeout: number }
  door: WorkerDoor
  /** Other origins whose pages may open sessions; undefined: all, or the application decides. */
  origins: readonly string[] | undefined
  /** Options of the application that a setting overrides: option → setting. */
  overridden: Readonly<Record<string, SettingKey>>
}

/** @param exported what `checkOptions` has checked; undefined for the chat */
export function chooseOptions(
  { config, given }: Deployment,
  exported: Partial<ServerOptions> | undefined,
): ChosenOptions {
  const overridden: Record<string, SettingKey> = {}
  const choose = (option: keyof typeof SETTINGS): number => {
    const key = SETTINGS[option]
    const own = exported?.[option]
    if (exported === undefined || given.includes(key)) {
      if (own !== undefined) overridden[option] = key
      return config[key]
    }
    return own ?? SOCKET_IO_DEFAULTS[option]
  }
  const server = {
    ...exported,
    serveClient: exported === undefined ? false : (exported.serveClient ?? true),
    maxHttpBufferSize: choose('maxHttpBufferSize'),
    pingInterval: choose('pingInterval'),
    pingTimeout: choose('pingTimeout'),
    connectTimeout: choose('connectTimeout'),
    ...(config.corsOrigin === undefined
      ? {}
      : { cors: { origin: config.corsOrigin, credentials: config.corsCredentials } }),
  }
  if (config.corsOrigin !== undefined && exported?.cors !== undefined) overridden['cors'] = 'corsOrigin'
  return { server, door: doorOf(server), origins: originsOf(config, exported), overridden }
}

/** An application without CORS_ORIGIN decides as it does without Rookery. */
function originsOf({ corsOrigin }: WorkerConfig, exported: object | undefined): ChosenOptions['origins'] {
  if (corsOrigin === '*') return undefined
  return corsOrigin ?? (exported === undefined ? [] : undefined)
}

function doorOf(server: ChosenOptions['server']): WorkerDoor {
  const { transports, allowEIO3, cors } = server
  const policy = corsPolicy(cors)
  return {
    heartbeatMs: server.pingInterval + server.pingTimeout,
    endpoint: {
      path: enginePath(server),
      protocols: allowEIO3 === true ? ['3', '4'] : DEFAULT_ENDPOINT.protocols,
      transports: transports?.filter((one) => one !== 'webtransport') ?? DEFAULT_ENDPOINT.transports,
    },
    ...(policy === undefined ? {} : { cors: policy }),
  }
}

/** As Engine.IO does it. */
function enginePath({ path = DEFAULT_ENDPOINT.path, addTrailingSlash }: Partial<ServerOptions>): string {
  return path.replace(/\/$/, '') + (addTrailingSlash === false ? '' : '/')
}

/** @returns undefined where the origin is a pattern or a function: only the application can tell */
function corsPolicy(cors: ServerOptions['cors']): CorsPolicy | undefined {
  if (cors === undefined || typeof cors === 'function') return undefined
  const { origin = '*', credentials = false } = cors
  if (origin === '*') return { origin, credentials }
  const origins: unknown[] = [origin].flat()
  if (origins.includes('*')) return { origin: '*', credentials }
  return origins.every((one) => typeof one === 'string') ? { origin: origins, credentials } : undefined
}
