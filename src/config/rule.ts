/** The form of a rule between settings. Pure. */
import type { Config, SettingKey } from './schema.ts'

export interface Conflict {
  /** The setting to report: the one that most likely has to change. */
  readonly key: SettingKey
  readonly message: string
}

export interface Rule {
  /**
   * The settings that the rule reads. The rule is skipped when one of their values is not allowed by itself.
   */
  readonly of: readonly SettingKey[]
  readonly check: (config: Config) => Conflict | undefined
}

export function when(broken: boolean, key: SettingKey, message: string): Conflict | undefined {
  return broken ? { key, message } : undefined
}
