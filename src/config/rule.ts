/** What a relation between settings is. Pure. */
import type { Config, SettingKey } from './schema.ts'

export interface Conflict {
  /** The setting that is named in the report: the one that most likely has to change. */
  readonly key: SettingKey
  readonly message: string
}

export interface Rule {
  /** The settings that the rule looks at; it is passed over when one of them is not allowed by itself. */
  readonly of: readonly SettingKey[]
  readonly check: (config: Config) => Conflict | undefined
}

export function when(broken: boolean, key: SettingKey, message: string): Conflict | undefined {
  return broken ? { key, message } : undefined
}
