/** The command line that repeats a run, for a shell. Pure. */
import type { RunResult } from '../model/result.ts'
import type { Comparison, Tour } from './compare/comparison.ts'

type Arguments = RunResult['arguments']

const COMMAND = 'npm run loadtest --'

/** The keys of `arguments` are the long options in camel case. */
export function repeatRun(result: RunResult): string {
  const options = optionsOf({ ...result.arguments, seed: result.seed })
  return [COMMAND, 'run', quoted(result.scenario.name), ...options].join(' ')
}

export function repeatComparison({ arguments: given, sides }: Comparison): string {
  const scenario = sides.flatMap(({ results }) => results)[0]?.scenario.name
  return [
    COMMAND,
    'compare',
    ...(scenario === undefined ? [] : [quoted(scenario)]),
    ...optionsOf(given),
  ].join(' ')
}

export function repeatTour(tour: Tour): string {
  return [COMMAND, 'tour', ...optionsOf(tour.arguments)].join(' ')
}

function optionsOf(given: Arguments): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    if (name === 'scenario' || value === false || value === '') return []
    return value === true ? [option] : [option, quoted(String(value))]
  })
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
