/** Finds scenarios and targets by name; for an unknown name, the error suggests a similar one. */
import { didYouMean } from '../../../src/config/nearest.ts'
import type { Scenario } from '../../model/scenario.ts'
import type { Target } from '../../model/target.ts'
import { SCENARIOS } from '../../scenarios/index.ts'
import { targets } from '../../targets/index.ts'
import { UsageError } from '../exit-codes.ts'

export const scenarioNamed = (name: string): Scenario => named('scenario', SCENARIOS, name)

export const targetNamed = (name: string): Target => named('target', targets, name)

/** @throws UsageError */
export function named<T extends { name: string }>(kind: string, all: readonly T[], name: string): T {
  const found = all.find((candidate) => candidate.name === name)
  if (found !== undefined) return found
  const names = all.map((candidate) => candidate.name)
  throw new UsageError(
    `there is no ${kind} '${name}'${didYouMean(name, names)}; there are: ${names.join(', ')}`,
  )
}
