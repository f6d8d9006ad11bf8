/** `rookery config check` and `rookery config print`. */
import { settingKeys } from '../config/schema.ts'
import { type ShownSetting, shownSettings } from '../config/settings-text.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { cellText, table } from './table.ts'

export function checkConfig(line: CommandLine, options: Options): void {
  const { warnings } = loadFrom(line, options)
  for (const { setting, message } of warnings) process.stderr.write(`${setting}: ${message}\n`)
  process.stdout.write(`all ${settingKeys.length} settings are valid\n`)
}

export function printConfig(line: CommandLine, options: Options): void {
  const shown = shownSettings(loadFrom(line, options))
  const text = options['json'] === true ? JSON.stringify(shown, null, 2) : settingsTable(shown)
  process.stdout.write(`${text}\n`)
}

function settingsTable(shown: readonly ShownSetting[]): string {
  const rows = shown.map(({ environment, value, unit, source, origin }) => [
    environment,
    cellText(value),
    unit ?? '',
    origin === undefined ? source : `${source}: ${origin}`,
  ])
  return table(['setting', 'value', 'unit', 'source'], rows)
}
