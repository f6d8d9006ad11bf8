/** Reads each source into raw values by key, and reports unknown names. Does not check values. */
import { didYouMean } from './nearest.ts'
import type { Problem, Source } from './problem.ts'
import { isSettingKey, type SettingKey, settingKeys, settingOf } from './schema.ts'
import { type ReadFile, readSecret } from './secret-file.ts'
import { environmentName, FILE_SUFFIX, flagName, PREFIX } from './setting.ts'

export interface RawValue {
  readonly source: Source
  /** The setting's name as the source wrote it. */
  readonly name: string
  readonly value: unknown
  /** Why there is no value. */
  readonly problem?: string
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

export function fromEnvironment(env: NodeJS.ProcessEnv, readFile: ReadFile): SourceReading {
  const values: RawValues = new Map()
  for (const key of settingKeys) {
    const bare = environmentName(key)
    const given = valueUnder(PREFIX + bare, key, env, readFile) ?? valueUnder(bare, key, env, readFile)
    if (given !== undefined) values.set(key, given)
  }
  return { values, problems: unknownEnvironmentNames(env) }
}

function valueUnder(
  name: string,
  key: SettingKey,
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
): RawValue | undefined {
  const { kind, secret } = settingOf(key)
  const text = unlessEmpty(env[name])
  const file = secret === true ? unlessEmpty(env[name + FILE_SUFFIX]) : undefined
  const source = 'environment'
  if (file === undefined) return text === undefined ? undefined : { source, name, value: kind.fromText(text) }
  const ofFile = { source, name: name + FILE_SUFFIX, value: undefined } as const
  if (text !== undefined) return { ...ofFile, problem: `${name} is set too; keep one of them` }
  const read = readSecret(file, readFile)
  return 'problem' in read ? { ...ofFile, ...read } : { ...ofFile, value: kind.fromText(read.text) }
}

/** An empty value counts as not set: `PORT= rookery start` and empty lines in a compose file give one. */
const unlessEmpty = (text: string | undefined) => (text === '' ? undefined : text)

/** Without the prefix: of the value, and of the file that a secret may be in. */
export function environmentNames(key: SettingKey): string[] {
  const name = environmentName(key)
  return settingOf(key).secret === true ? [name, name + FILE_SUFFIX] : [name]
}

/** Everybody on the machine can read command lines, so secrets have no flag. An address may be without one. */
export function hasFlag(key: SettingKey): boolean {
  return settingOf(key).secret !== true || key === 'redisUrl'
}

function unknownEnvironmentNames(env: NodeJS.ProcessEnv): Problem[] {
  const known = settingKeys.flatMap(environmentNames)
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
    if (isSettingKey(key)) values.set(key, { source: 'flag', name, ...valueOfFlag(key, text) })
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

function valueOfFlag(key: SettingKey, text: string): Pick<RawValue, 'value' | 'problem'> {
  const { kind, secret } = settingOf(key)
  const isOpen = hasFlag(key) && (secret !== true || !text.includes('@'))
  if (isOpen) return { value: kind.fromText(text) }
  const names = environmentNames(key).join(' or ')
  const problem = `everybody on this machine can read it on the command line; use ${names} in the environment`
  return { value: undefined, problem }
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
