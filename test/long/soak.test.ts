/**
 * A soak's resource counts before and after: the chat returns to its start, on two hosts over Redis and
 * through faults; a leak is detected.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { RunPlan, Step } from '../../loadtest/model/plan.ts'
import type { RunResult } from '../../loadtest/model/result.ts'
import type { Scenario, ScenarioSettings } from '../../loadtest/model/scenario.ts'
import type { RunObserver } from '../../loadtest/run/observer.ts'
import { scenarioNamed, targetNamed } from '../../loadtest/run/request/names.ts'
import { RunFlags, requestOf } from '../../loadtest/run/request/request.ts'
import { runScenario } from '../../loadtest/run/run-scenario.ts'

const LEAKING = join(fileURLToPath(new URL('../fixtures/apps', import.meta.url)), 'leaking-chat.js')
const SIZE = { clients: '10', rate: '20', duration: '10', roomSize: '5', workers: '1' }
const GIVEN = { seed: 3, agents: 1 }

const unwatched: RunObserver = {
  stop: new AbortController().signal,
  joined: 0,
  note() {},
  phase() {},
  second() {},
  mark() {},
}

const SOAK = scenarioNamed('soak')

/** Leaked resources do not come back, so a short wait is enough. More connections leak more. */
function hurried(settings: ScenarioSettings): RunPlan {
  const { baseline, ...plan } = SOAK.plan(settings)
  return {
    ...plan,
    steps: plan.steps.flatMap((step): Step[] => {
      if (step.do === 'churn') return [{ ...step, churn: { ...step.churn, perSec: 3 } }]
      return step.do === 'load' ? [step] : []
    }),
    ...(baseline === undefined ? {} : { baseline: { ...baseline, returnMs: 1_000 } }),
  }
}

const run = (scenario: Scenario, asked: Record<string, unknown>): Promise<RunResult> =>
  runScenario(
    requestOf(scenario, targetNamed('rookery'), RunFlags.parse({ ...SIZE, ...asked }), GIVEN),
    unwatched,
  )

const failed = ({ checks }: RunResult) => checks.filter(({ ok }) => !ok)

/** Each test starts and stops two hosts, and counts four times. */
const TIMEOUT_MS = 900_000

test(
  'the chat holds the same resources afterwards, whatever happened to it',
  async () => {
    const result = await run(SOAK, { hosts: '2', duration: '180' })
    expect(failed(result)).toEqual([])
    expect(result.baselines?.map(({ clients }) => clients)).toEqual(['all', 'none'])
    expect(result.marks.filter(({ label }) => /^[a-z]+-[a-z]+ \d/.test(label)).length).toBeGreaterThan(0)
    expect(result.latency.back.count).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

test(
  'a leaking chat is detected, in every count',
  async () => {
    const scenario = { ...SOAK, wants: [], plan: hurried }
    const result = await run(scenario, { hosts: '2', env: [`APP=${LEAKING}`] })
    expect(result.verdict.ok).toBe(true)
    const details = failed(result).map(({ detail }) => detail)
    expect(details).toHaveLength(2)
    for (const detail of details)
      for (const host of [0, 1]) {
        expect(detail).toMatch(new RegExp(`descriptors of workers of host ${host}: .*/dev/null \\+`))
        // With node:cluster, the primary listens for its workers.
        expect(detail).toMatch(new RegExp(`handles of primary of host ${host}: .*TCPServerWrap \\+`))
        expect(detail).toMatch(new RegExp(`timers of workers of host ${host}: .*Timeout \\+`))
        expect(detail).toMatch(new RegExp(`emitters of workers of host ${host}: .*Server \\+`))
        expect(detail).toMatch(new RegExp(`listeners of workers of host ${host}: .*process \\+`))
        expect(detail).toMatch(new RegExp(`heap of workers of host ${host}: `))
        expect(detail).toMatch(/; channels of Redis: /)
      }
    expect(details[0]).toMatch(/persistent keys of Redis: /)
  },
  TIMEOUT_MS,
)
