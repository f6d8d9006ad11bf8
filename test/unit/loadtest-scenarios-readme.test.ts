/** The README's tables match the program. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { HTTP_SCENARIOS } from '../../loadtest/http/scenarios.ts'
import { EXIT_CODES } from '../../loadtest/run/exit-codes.ts'
import { SCENARIOS } from '../../loadtest/scenarios/index.ts'
import { targets } from '../../loadtest/targets/index.ts'

const README = readFileSync(new URL('../../loadtest/README.md', import.meta.url), 'utf8')

/** Rows of the table whose head begins with `first`. */
function rowsBelow(first: string): string[] {
  const lines = README.split('\n')
  const heads = lines.flatMap((line, place) => (line.startsWith(`| ${first} |`) ? [place] : []))
  return heads.flatMap((head) => {
    const below = lines.slice(head + 2)
    return below.slice(
      0,
      below.findIndex((line) => !line.startsWith('|')),
    )
  })
}

test('a row for each scenario, with its description', () => {
  const scenarios = SCENARIOS.map(
    ({ name, title, invariant, defaults: { clients, ratePerSec, durationSec } }) =>
      `| \`${name}\` | ${title} | ${invariant} | ${clients} clients, ${ratePerSec}/s, ${durationSec} s |`,
  )
  const http = HTTP_SCENARIOS.map(
    ({ name, title, invariant, defaults: { connections, ratePerSec, durationSec } }) =>
      `| \`${name}\` | ${title} | ${invariant} | ${connections} connections, ${ratePerSec}/s, ${durationSec} s |`,
  )
  expect(rowsBelow('scenario')).toEqual([...scenarios, ...http])
})

test('a row for each target', () => {
  const rows = targets.map(
    ({ name, title, dialects, limits }) =>
      `| \`${name}\` | ${title} | ${dialects.join(', ')} | ${limits.hosts} hosts × ${limits.workersPerHost} workers |`,
  )
  expect(rowsBelow('target')).toEqual(rows)
})

describe('a row for each exit code', () => {
  test.each(Object.values(EXIT_CODES))('$code', ({ code, meaning }) => {
    expect(rowsBelow('exit code')).toContain(`| ${code} | ${meaning} |`)
  })
})
