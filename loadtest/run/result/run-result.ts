/**
 * Turns a measured run into a result: figures, verdict, checks. Pure; the audit may take seconds.
 */

import { audit } from '../../audit/audit.ts'
import { judgeGenerator } from '../../measure/generator-health.ts'
import { merged, summaryOf } from '../../measure/histograms.ts'
import type { Interval } from '../../measure/samples.ts'
import { serverFigures } from '../../measure/server-figures.ts'
import { sumByKey, sumOf } from '../../measure/sums.ts'
import { timelineOf } from '../../measure/timeline.ts'
import type { AgentSecond } from '../../model/agent-protocol.ts'
import type { DeliveryRecords } from '../../model/delivery-records.ts'
import type { RunPlan } from '../../model/plan.ts'
import { type Check, RESULT_VERSION, type RunResult } from '../../model/result.ts'
import type { MeasuredRun } from '../measured-run.ts'
import { argumentsOf, type RunRequest } from '../request/request.ts'
import { awayOf } from './away-clients.ts'
import { sentCheck } from './sent-check.ts'

/** The same for all runs of one command. */
export interface RunEnvironment {
  tool: RunResult['tool']
  machine: RunResult['machine']
}

export function resultOf(run: MeasuredRun, request: RunRequest, environment: RunEnvironment): RunResult {
  const { scenario, settings } = request
  const judged = { ...factsOf(run, request, environment), ...figuresOf(run, request) }
  const sent = sentCheck(judged, run.plan, settings)
  const checks = [...scenario.checks(judged, settings), sent, settledCheck(run)]
  return { ...judged, checks: run.interrupted ? [] : checks }
}

type Facts = Pick<
  RunResult,
  | 'version'
  | 'tool'
  | 'machine'
  | 'scenario'
  | 'target'
  | 'dialect'
  | 'kind'
  | 'arguments'
  | 'seed'
  | 'startedAt'
  | 'durationMs'
  | 'clients'
  | 'marks'
  | 'interrupted'
  | 'steps'
>

function factsOf(run: MeasuredRun, request: RunRequest, { tool, machine }: RunEnvironment): Facts {
  const { scenario, target, settings, kind } = request
  const { name, title, invariant } = scenario
  const { times, joined, perAgent } = run
  return {
    version: RESULT_VERSION,
    tool,
    machine,
    scenario: { name, title, invariant },
    target: { name: target.name, title: target.title, ...settings.shape },
    dialect: settings.dialect,
    kind,
    arguments: argumentsOf(request),
    seed: settings.seed,
    startedAt: run.startedAt.toISOString(),
    durationMs: times.endedAt - times.beganAt,
    clients: {
      asked: settings.clients,
      joined,
      perAgent: [...perAgent],
      away: awayOf(run.records, run.plan.clients),
    },
    marks: run.marks.toSorted((a, b) => a.atMs - b.atMs),
    interrupted: run.interrupted,
    steps: null,
  }
}

type Figures = Omit<RunResult, keyof Facts | 'checks'>

function figuresOf(run: MeasuredRun, request: RunRequest): Figures {
  const { samples, times, plan, perAgent } = run
  const agents = perAgent.map((clients, agent) => ({
    clients,
    seconds: run.seconds.filter((one) => one.agent === agent).map(({ second }) => second),
  }))
  const seconds = run.seconds.map(({ second }) => second)
  const connecting = { fromAt: times.connectAt, toAt: times.joinedAt }
  const loads = loadsOf(run)
  const measured = request.scenario.measuresConnecting === true ? [...loads, connecting] : loads
  const generator = judgeGenerator(agents, measured)
  const work = { messages: total(seconds, 'acked'), deliveries: total(seconds, 'delivered') }
  const late = request.scenario.measuresNoTimes === true ? [] : generator.bottleneck
  const invalid = [...run.problems, ...late]
  return {
    latency: latencyOf(seconds),
    ...(plan.afterFaults === undefined
      ? {}
      : { revival: summaryOf(merged(seconds.map((one) => one.recovery))) }),
    timeline: timelineOf(agents, samples, times.zeroAt),
    refusals: sumByKey(seconds.map(({ refused }) => refused)),
    connectErrors: sumByKey(seconds.map(({ connectErrors }) => connectErrors)),
    server: serverFigures(samples, loads, work, { ...connecting, clients: run.joined }),
    ...(run.baselines === undefined ? {} : { baselines: [...run.baselines] }),
    generator: { agents: generator.agents },
    verdict: {
      due: total(seconds, 'due'),
      ...audit(ofReaders(run.records, plan), request.settings.dialect, times.zeroAt),
    },
    valid: invalid.length === 0,
    invalid,
  }
}

/** The last load lasts until the last delivery, which may come after its end. */
function loadsOf({ plan, times, seconds, warmedUp }: MeasuredRun): Interval[] {
  const driven = plan.steps.flatMap((step) =>
    step.do === 'load'
      ? [{ fromAt: times.zeroAt + step.atMs, toAt: times.zeroAt + step.atMs + step.load.durationMs }]
      : [],
  )
  const loads = [...(warmedUp === undefined ? [] : [warmedUp]), ...driven]
  const last = loads.at(-1)
  const lastAt = seconds.reduce((at, { second }) => (second.delivered > 0 ? Math.max(at, second.at) : at), 0)
  if (last !== undefined) last.toAt = Math.max(last.toAt, lastAt)
  return loads.filter(({ fromAt }) => fromAt < times.endedAt)
}

/** Clients that stop reading are left out: their deliveries can't be seen. */
function ofReaders(records: DeliveryRecords, plan: RunPlan): DeliveryRecords {
  const nonReaders = new Set(plan.clients.filter(({ reads }) => reads === 'never').map(({ index }) => index))
  if (nonReaders.size === 0) return records
  const parts = records.parts.map((part) => ({
    ...part,
    members: part.members.filter(({ client }) => !nonReaders.has(client)),
  }))
  return { parts }
}

function latencyOf(seconds: readonly AgentSecond[]): RunResult['latency'] {
  const of = (name: 'delivery' | 'ack' | 'connect' | 'back') =>
    summaryOf(merged(seconds.map((second) => second[name])))
  return { delivery: of('delivery'), ack: of('ack'), connect: of('connect'), back: of('back') }
}

function settledCheck({ settled }: MeasuredRun): Check {
  return {
    name: 'nothing is outstanding at the end',
    ok: settled.settled,
    detail: settled.settled ? 'all done' : `${settled.outstanding} sends or deliveries were outstanding`,
  }
}

function total(seconds: readonly AgentSecond[], property: 'due' | 'acked' | 'delivered'): number {
  return sumOf(seconds.map((second) => second[property]))
}
