/** Settings as text for `config print`, `--help` and docs/settings.md. Never shows a secret. */
import type { LoadedConfig } from './load.ts'
import type { Source } from './problem.ts'
import { type SettingKey, settingKeys, settingOf } from './schema.ts'
import { environmentName, flagName } from './setting.ts'
import { environmentNames, hasFlag } from './sources.ts'

const HIDDEN = '[hidden]'

export interface ShownSetting {
  readonly key: SettingKey
  readonly environment: string
  /** `null` when not set. */
  readonly value: unknown
  readonly unit: string | null
  readonly source: Source
  /** How a default came about, where that depends on the machine. */
  readonly origin?: string
}

export function shownSettings({ config, sources }: LoadedConfig): ShownSetting[] {
  return settingKeys.map((key) => {
    const { secret, unit, origin } = settingOf(key)
    const value: unknown = config[key] ?? null
    return {
      key,
      environment: environmentName(key),
      value: secret === true && value !== null ? HIDDEN : value,
      unit: unit ?? null,
      source: sources[key],
      ...(sources[key] === 'default' && origin !== undefined ? { origin: origin() } : {}),
    }
  })
}

/** The default as the docs show it, the same on every machine. */
export function shownDefault(key: SettingKey): string {
  const { defaultDoc, fallback } = settingOf(key)
  const value = defaultDoc ?? fallback()
  if (value === undefined) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The content of docs/settings.md. */
export function settingsDocument(): string {
  const sections = [...new Set(settingKeys.map((key) => settingOf(key).section))]
  const parts = sections.map((section) => {
    const keys = settingKeys.filter((key) => settingOf(key).section === section)
    return `## ${section}\n\n${tableOf(keys)}`
  })
  return `${INTRODUCTION}\n${parts.join('\n\n')}\n`
}

const INTRODUCTION = `# Settings

Generated from \`src/config/schema.ts\` by \`npm run docs\`; a test fails when the two differ.

A setting can come from four sources. Later ones override earlier ones:

1. its default;
2. a JSON file named by \`--config\` or \`ROOKERY_CONFIG\`: \`{ "port": 8080, "logLevel": "debug" }\`;
3. the environment: \`PORT=8080\`, or \`ROOKERY_PORT=8080\`, which wins where other programs use the name too (an empty value counts as
   not set);
4. a flag: \`--port 8080\`.

Secrets have no flag, since everybody on the machine can read command lines. They can be in files of their own, as containers and service
managers provide them: \`JWT_SECRET_FILE=/run/secrets/jwt\` (the line break at the end is left out). \`--redis-url\` takes addresses without a
password. The processes of the workers, and what the application starts, don't inherit secrets in the environment; with an application
of your own they keep what may be meant for it (\`JWT_SECRET\`, \`API_KEY\`, \`REDIS_URL\`).

Unknown names are refused in the file and on the command line, and in the environment when they begin with \`ROOKERY_\`.
Relative paths are resolved from the working directory. \`rookery config check\` reports all problems at once;
\`rookery config print\` shows each value and its source.
With an application of your own, what the environment has under the chat's names (\`JWT_SECRET\`, \`AUTH\` …), and under \`LOG_LEVEL\`, \`LOG_FORMAT\`
and \`HOST\`, may be the application's: a value that is not allowed is passed over with a warning.
`

function tableOf(keys: readonly SettingKey[]): string {
  const rows = keys.map((key) => {
    const { defaultDoc, doc, kind, unit } = settingOf(key)
    const names = namesOf(key)
      .map((name) => `\`${name}\``)
      .join('<br>')
    // A default in words names its unit itself, if it has one.
    const fallback = defaultDoc ?? [shownDefault(key), unit].filter((part) => part !== undefined).join(' ')
    return `| ${[names, fallback, kind.expects, doc].map(escapeCell).join(' | ')} |`
  })
  return [
    '| environment, flag, key | default | allowed | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function namesOf(key: SettingKey): string[] {
  return [...environmentNames(key), ...(hasFlag(key) ? [flagName(key)] : []), key]
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
