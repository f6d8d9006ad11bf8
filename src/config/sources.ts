/** Reads each source into raw values by key, and reports unknown names. Does not check values. */
import { didYouMean } from './nearest.ts'
import type { Problem, Source } from './problem.ts'
import { isSettingKey, type SettingKey, settingKeys, settingOf } from './schema.ts'
import { environmentName, flagName } from './setting.ts'

/** Each setting has a second name in the environment, for what other programs there call the same. It wins. */
export const PREFIX = 'ROOKERY_'

export interface RawValue {
  readonly source: Source
  /** The setting's name as the source wrote it. */
  readonly name: string
  readonly value: unknown
}

export type RawValues = Map<SettingKey, RawValue>

export interface SourceReading {
  readonly values: RawValues
  readonly problems: Problem[]
}

/**
 * Environment names with Rookery's prefix that are not settings: the file, and a worker's start parameters.
 */
const OWN_NAMES = ['ROOKERY_CONFIG', 'ROOKERY_WORKER', 'ROOKERY_SETTINGS']

export function fromEnvironment(env: NodeJS.ProcessEnv): SourceReading {
  const values: RawValues = new Map()
  for (const key of settingKeys) {
    const bare = environmentName(key)
    const name = (env[PREFIX + bare] ?? '') === '' ? bare : PREFIX + bare
    const text = env[name]
    // An empty value counts as not set: `PORT= rookery start` and empty lines in a compose file give one.
    if (text === undefined || text === '') continue
    values.set(key, { source: 'environment', name, value: settingOf(key).kind.fromText(text) })
  }
  return { values, problems: unknownEnvironmentNames(env) }
}

function unknownEnvironmentNames(env: NodeJS.ProcessEnv): Problem[] {
  const known = settingKeys.map(environmentName)
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !OWN_NAMES.includes(name))
    .filter((name) => !known.includes(name.slice(PREFIX.length)))
    .map((name) => {
      const bare = name.slice(PREFIX.length)
      const hint = didYouMean(name, OWN_NAMES.slice(0, 1)) || didYouMean(bare, known)
      return { setting: name, source: 'environment', message: `no such setting${hint}` }
    })
}

/** @param flags values by key, as on the command line */
export function fromFlags(flags: Readonly<Record<string, string | undefined>>): SourceReading {
  const values: RawValues = new Map()
  const problems: Problem[] = []
  for (const [key, text] of Object.entries(flags)) {
    if (text === undefined) continue
    const name = flagName(key)
    if (isSettingKey(key))
      values.set(key, { source: 'flag', name, value: settingOf(key).kind.fromText(text) })
    else
      problems.push({ setting: name, source: 'flag', message: `no such setting${hintForKey(key, flagName)}` })
  }
  return { values, problems }
}

/** @param defaults text values by key, for a command with defaults of its own */
export function fromDefaults(defaults: Readonly<Record<string, string>>): SourceReading {
  const { values, problems } = fromFlags(defaults)
  return {
    values: new Map([...values].map(([key, given]) => [key, { ...given, source: 'default' }])),
    problems,
  }
}

/** @param content the text of the file: a JSON object with settings by key */
export function fromFile(content: string, filePath: string): SourceReading {
  const parsed = parseObject(content)
  if (typeof parsed === 'string') {
    return { values: new Map(), problems: [{ setting: filePath, source: 'file', message: parsed }] }
  }
  const values: RawValues = new Map()
  const problems: Problem[] = []
  for (const [key, value] of Object.entries(parsed)) {
    if (isSettingKey(key)) values.set(key, { source: 'file', name: key, value })
    else problems.push({ setting: key, source: 'file', message: `no such setting${hintForKey(key)}` })
  }
  return { values, problems }
}

function hintForKey(key: string, write: (key: string) => string = (same) => same): string {
  return didYouMean(write(key), settingKeys.map(write))
}

function parseObject(content: string): Record<string, unknown> | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch (error) {
    return `is not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return 'must hold one JSON object with settings by key'
  }
  return parsed as Record<string, unknown>
}
