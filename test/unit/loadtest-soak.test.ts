/** The faults of a soak and its plan when faults are not possible. */
import { describe, expect, test } from 'vitest'
import type { Step } from '../../loadtest/model/plan.ts'
import type { ScenarioSettings } from '../../loadtest/model/scenario.ts'
import { scenarioNamed } from '../../loadtest/run/request/names.ts'
import { supportedPlan } from '../../loadtest/run/request/supported-plan.ts'
import { PRIMARY_ENDING_FAULTS, PROCESS_REPLACING_FAULTS } from '../../loadtest/scenarios/random-faults.ts'
import { soakFaults } from '../../loadtest/scenarios/soak-faults.ts'

const HOUR_SEC = 3_600
const SOAK = scenarioNamed('soak')
const { kind: _kind, ...DEFAULTS } = SOAK.defaults

const settingsOf = (changes: Partial<ScenarioSettings>): ScenarioSettings => ({
  ...DEFAULTS,
  seed: 1,
  shape: { hosts: 1, workersPerHost: 2 },
  dialect: 'chat',
  ...changes,
})

type Fault = Extract<Step, { do: 'fault' }>
const faultsIn = (steps: readonly Step[]): Fault[] => steps.filter((step) => step.do === 'fault')
const isOf = (names: readonly string[]) => (fault: Fault) => names.includes(fault.fault)

describe.each([
  { hosts: 1, workersPerHost: 2 },
  { hosts: 2, workersPerHost: 1 },
])('an hour on $hosts × $workersPerHost', (shape) => {
  const steps = soakFaults(settingsOf({ shape, durationSec: HOUR_SEC }))
  const faults = faultsIn(steps)

  test('has faults all the time, at a moderate rate', () => {
    const moments = steps.map(({ atMs }) => atMs).toSorted((a, b) => a - b)
    const gaps = [...moments, HOUR_SEC * 1_000].map((atMs, place) => atMs - (moments[place - 1] ?? 0))
    expect(Math.max(...gaps)).toBeLessThan(60_000)
    expect(faults.length).toBeGreaterThan(150)
    expect(faults.length).toBeLessThan(600)
  })

  test('has all kinds of faults that this shape can have', () => {
    const ofOneHost = SOAK.wants?.filter(
      (fault) => !/redis|link|pubsub|normal|kill-(host|primary)|(stop|start)-host/.test(fault),
    )
    expect(new Set(faults.map(({ fault }) => fault))).toEqual(
      new Set(shape.hosts > 1 ? SOAK.wants : ofOneHost),
    )
  })

  test('never ends the first primary, and replaces no process in the second half', () => {
    expect(faults.filter(isOf(PRIMARY_ENDING_FAULTS)).filter(({ which }) => which === 0)).toEqual([])
    const replaced = faults.filter(isOf(PROCESS_REPLACING_FAULTS)).map(({ atMs }) => atMs)
    expect(replaced.length).toBeGreaterThan(10)
    expect(Math.max(...replaced)).toBeLessThan(HOUR_SEC * 500)
  })
})

test('each client has sent before anything is counted', () => {
  const { baseline } = SOAK.plan(settingsOf({ clients: 90, ratePerSec: 7 }))
  expect(baseline?.warmUp).toMatchObject({ arrivals: 'even', ratePerSec: 7 })
  expect(((baseline?.warmUp.durationMs ?? 0) / 1_000) * 7).toBeGreaterThanOrEqual(90)
})

const stall = async () => undefined

describe('when the target supports few or no faults', () => {
  const asked = { scenario: SOAK, settings: settingsOf({}) }

  test('load and churn remain, and nothing is counted', () => {
    const plan = supportedPlan(asked, { faults: {}, probeDirectory: undefined })
    expect(plan.steps.map((step) => step.do).filter((word) => word !== 'cut')).toEqual(['load', 'churn'])
    expect(plan.baseline).toBeUndefined()
  })

  test('the supported faults remain', () => {
    const plan = supportedPlan(asked, { faults: { 'stall-worker': stall }, probeDirectory: '/probes' })
    expect(new Set(faultsIn(plan.steps).map(({ fault }) => fault))).toEqual(new Set(['stall-worker']))
    expect(plan.baseline).toBeDefined()
  })

  test('a fault that a scenario needs stays: the run is refused earlier', () => {
    const kills = { ...asked, scenario: scenarioNamed('worker-kills') }
    const plan = supportedPlan(kills, { faults: {}, probeDirectory: undefined })
    expect(faultsIn(plan.steps)).not.toEqual([])
  })
})
