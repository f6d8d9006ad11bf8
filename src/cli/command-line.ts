/** The input of every command, and the flags for settings. */
import { type Command, Option } from 'commander'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { isSettingKey, type SettingKey, settingKeys, settingOf } from '../config/schema.ts'
import { environmentName, flagName } from '../config/setting.ts'
import { shownDefault } from '../config/settings-text.ts'
import { hasFlag } from '../config/sources.ts'

export interface CommandLine {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** A command's options as commander parses them: settings by key, `config`, and the command's own. */
export type Options = Readonly<Record<string, string | boolean | undefined>>

export function addSettingFlags(command: Command, keys: readonly SettingKey[] = settingKeys): Command {
  command.option('--config <file>', 'JSON file with settings by key (environment: ROOKERY_CONFIG)')
  for (const key of keys) {
    const { doc, section } = settingOf(key)
    const text = `${doc} (environment: ${environmentName(key)}; default: ${shownDefault(key)})`
    const option = new Option(`${flagName(key)} <value>`, text).helpGroup(`${section}:`)
    // Parsed all the same, so that the error says what to use instead.
    command.addOption(hasFlag(key) ? option : option.hideHelp())
  }
  return command
}

/**
 * @param forced settings that override all sources
 * @param defaults settings that all sources override
 */
export function loadFrom(
  line: CommandLine,
  options: Options,
  forced: Readonly<Record<string, string>> = {},
  defaults: Readonly<Record<string, string>> = {},
): LoadedConfig {
  const flags: Record<string, string | undefined> = {}
  for (const [key, value] of Object.entries(options)) {
    if (isSettingKey(key) && typeof value === 'string') flags[key] = value
  }
  const file = typeof options['config'] === 'string' ? options['config'] : undefined
  return loadConfig({ env: line.env, file, flags: { ...flags, ...forced }, defaults })
}
