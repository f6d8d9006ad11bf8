/**
 * Loads the settings of a process from their sources: defaults, file, environment, flags. Later sources
 * override earlier ones. Reports all problems at once.
 */
import { readFileSync } from 'node:fs'
import { foreignValue, mayBeForeign } from './foreign.ts'
import { ConfigError, type Problem, type Source } from './problem.ts'
import { conflicts } from './relations.ts'
import { type Config, type SettingKey, settingKeys, settingOf } from './schema.ts'
import type { ReadFile } from './secret-file.ts'
import { environmentName, PREFIX } from './setting.ts'
import {
  environmentNames,
  fromDefaults,
  fromEnvironment,
  fromFile,
  fromFlags,
  type RawValue,
  type RawValues,
  type SourceReading,
} from './sources.ts'

export interface ConfigInput {
  readonly env: NodeJS.ProcessEnv
  /** Text values by key. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  /** From `--config`. Without it `ROOKERY_CONFIG` names the file; without both there is none. */
  readonly file?: string | undefined
  readonly readFile?: ReadFile
  /** Text values by key that stand in for the defaults of the table. */
  readonly defaults?: Readonly<Record<string, string>>
}

export interface LoadedConfig {
  /** Frozen. */
  readonly config: Config
  /** Values that are not used, because they may be meant for the application. */
  readonly warnings: readonly Problem[]
  readonly sources: Readonly<Record<SettingKey, Source>>
}

const readText: ReadFile = (path) => readFileSync(path, 'utf8')

/** @throws ConfigError with all problems */
export function loadConfig(input: ConfigInput): LoadedConfig {
  return load(input, conflicts)
}

function load(input: ConfigInput, rules: typeof conflicts): LoadedConfig {
  const readings = [
    fromDefaults(input.defaults ?? {}),
    readConfigFile(input),
    fromEnvironment(input.env, input.readFile ?? readText),
    fromFlags(input.flags ?? {}),
  ]
  const problems = readings.flatMap((reading) => reading.problems)
  const raw: RawValues = new Map(readings.flatMap((reading) => [...reading.values]))

  const warnings = raw.has('app') ? passOverForeign(raw) : []
  const values: Record<string, unknown> = {}
  const refused = new Set<SettingKey>()
  for (const key of settingKeys) {
    const checked = checkValue(key, raw.get(key))
    if ('value' in checked) values[key] = checked.value
    else {
      problems.push(checked.problem)
      refused.add(key)
    }
  }
  const config = freeze(values)
  for (const { key, message } of rules(config, refused)) {
    const { name, source } = raw.get(key) ?? { name: environmentName(key), source: 'default' as const }
    problems.push({ setting: name, source, message })
  }
  if (problems.length > 0) throw new ConfigError(problems)

  const sources = settingKeys.map((key) => [key, raw.get(key)?.source ?? 'default'] as const)
  return { config, warnings, sources: Object.fromEntries(sources) as Record<SettingKey, Source> }
}

/** The settings that do not have their defaults: an application may choose what the operator leaves open. */
export function givenKeys(sources: LoadedConfig['sources']): SettingKey[] {
  return settingKeys.filter((key) => sources[key] !== 'default')
}

/** All other secrets stay with the primary. */
const SECRETS_OF_WORKERS: ReadonlySet<SettingKey> = new Set(['jwtSecret', 'jwtSecretOther', 'apiKey'])

/** The settings of a worker. It talks to no Redis and to no other host. */
export type WorkerConfig = Omit<
  Config,
  'redisUrl' | 'redisSentinelPassword' | 'clusterSecret' | 'clusterSecretOther' | 'clusterSecretOld'
>

/** The settings as text, for a worker: it reads no other source. */
export function exportConfig(config: Config): string {
  const keys = settingKeys.filter((key) => settingOf(key).secret !== true || SECRETS_OF_WORKERS.has(key))
  return JSON.stringify(config, keys)
}

/** @throws ConfigError when `text` is not from `exportConfig` */
export function importConfig(text: string): WorkerConfig {
  const readFile = () => text
  // The primary has checked the rules between settings, with those that are not here.
  return load({ env: {}, file: 'ROOKERY_SETTINGS', readFile }, () => []).config
}

/**
 * Names in the environment that workers don't inherit: their processes, and what the application starts, have no use for
 * them. An application may mean something of its own by some of them, which stay.
 */
export function hiddenFromWorkers({ app }: Pick<Config, 'app'>): string[] {
  return settingKeys
    .filter((key) => settingOf(key).secret === true)
    .flatMap((key) => {
      const isOfApp = app !== undefined && (key === 'redisUrl' || mayBeForeign(key))
      return environmentNames(key).flatMap((name) => (isOfApp ? [PREFIX + name] : [PREFIX + name, name]))
    })
}

function readConfigFile(input: ConfigInput): SourceReading {
  const filePath = input.file ?? (input.env['ROOKERY_CONFIG'] || undefined)
  if (filePath === undefined) return { values: new Map(), problems: [] }
  const readFile = input.readFile ?? readText
  let content: string
  try {
    content = readFile(filePath)
  } catch (error) {
    const message = `can't be read: ${error instanceof Error ? error.message : String(error)}`
    return { values: new Map(), problems: [{ setting: filePath, source: 'file', message }] }
  }
  return fromFile(content, filePath)
}

/** Takes the values out that may be meant for the application and can't be settings. */
function passOverForeign(raw: RawValues): Problem[] {
  const warnings: Problem[] = []
  for (const [key, given] of raw) {
    const checked = checkValue(key, given)
    const warning = 'problem' in checked ? foreignValue(key, given, checked.problem) : undefined
    if (warning === undefined) continue
    raw.delete(key)
    warnings.push(warning)
  }
  return warnings
}

function checkValue(key: SettingKey, given: RawValue | undefined): { value: unknown } | { problem: Problem } {
  const setting = settingOf(key)
  if (given?.problem !== undefined) {
    const { name, source, problem } = given
    return { problem: { setting: name, source, message: problem } }
  }
  const value = given === undefined ? setting.fallback() : given.value
  if (given === undefined && value === undefined) return { value }
  const result = setting.kind.type.safeParse(value)
  if (result.success) return { value: result.data }
  const shown = mayBeShown(key, value) ? JSON.stringify(value)?.slice(0, 200) : 'this value'
  const problem: Problem = {
    setting: given?.name ?? environmentName(key),
    source: given?.source ?? 'default',
    message: `${shown} is not allowed; expected ${setting.kind.expects}`,
  }
  return { problem }
}

/** A refused value may contain a password: `https://user:password@host`. */
function mayBeShown(key: SettingKey, value: unknown): boolean {
  return settingOf(key).secret !== true && !JSON.stringify(value)?.includes('@')
}

function freeze(values: Record<string, unknown>): Config {
  for (const value of Object.values(values)) {
    if (Array.isArray(value)) Object.freeze(value)
  }
  return Object.freeze(values) as unknown as Config
}
