/** Problems of the settings, reported all at once. */

/** Where a value came from. */
export type Source = 'default' | 'file' | 'environment' | 'flag'

export interface Problem {
  /** The name as the user wrote it: a flag, an environment name, or a key in the file. */
  readonly setting: string
  readonly source: Source
  readonly message: string
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ setting, source, message }) => `  ${setting} (${source}): ${message}`)
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
    super(`the settings have ${count}:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}
