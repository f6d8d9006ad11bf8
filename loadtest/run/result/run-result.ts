/** A passage as a result: figures, verdict, checks. Pure but for the time that the audit takes. */

import { audit } from '../../audit/audit.ts'
import { judgeGenerator } from '../../measure/generator-health.ts'
import { merged, summaryOf } from '../../measure/histograms.ts'
import type { Interval } from '../../measure/samples.ts'
import { serverFigures } from '../../measure/server-figures.ts'
import { timelineOf } from '../../measure/timeline.ts'
import type { AgentSecond } from '../../model/agent-protocol.ts'
import type { Ledger } from '../../model/delivery-records.ts'
import type { RunPlan } from '../../model/plan.ts'
import { type Check, RESULT_VERSION, type RunResult } from '../../model/result.ts'
import type { Passage } from '../measured-run.ts'
import { argumentsOf, type RunRequest } from '../request/request.ts'
import { awayOf } from './away-clients.ts'
import { sentCheck } from './sent-check.ts'

/** What is the same for all runs of one command. */
export interface Setting {
  tool: RunResult['tool']
  machine: RunResult['machine']
}

export function resultOf(passage: Passage, request: RunRequest, setting: Setting): RunResult {
  const { scenario, settings } = request
  const judged = { ...factsOf(passage, request, setting), ...figuresOf(passage, request) }
  const sent = sentCheck(judged, passage.plan, settings)
  const checks = [...scenario.checks(judged, settings), sent, settledCheck(passage)]
  return { ...judged, checks: passage.interrupted ? [] : checks }
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

function factsOf(passage: Passage, request: RunRequest, { tool, machine }: Setting): Facts {
  const { scenario, target, settings, kind } = request
  const { name, title, invariant } = scenario
  const { times, joined, perAgent } = passage
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
    startedAt: passage.startedAt.toISOString(),
    durationMs: times.endedAt - times.beganAt,
    clients: {
      asked: settings.clients,
      joined,
      perAgent: [...perAgent],
      away: awayOf(passage.ledger, passage.plan.clients),
    },
    marks: passage.marks.toSorted((a, b) => a.atMs - b.atMs),
    interrupted: passage.interrupted,
    steps: null,
  }
}

type Figures = Omit<RunResult, keyof Facts | 'checks'>

function figuresOf(passage: Passage, request: RunRequest): Figures {
  const { samples, times, plan, perAgent } = passage
  const agents = perAgent.map((clients, agent) => ({
    clients,
    seconds: passage.seconds.filter((one) => one.agent === agent).map(({ second }) => second),
  }))
  const seconds = passage.seconds.map(({ second }) => second)
  const connecting = { fromAt: times.connectAt, toAt: times.joinedAt }
  const loads = loadsOf(passage)
  const measured = request.scenario.measuresConnecting === true ? [...loads, connecting] : loads
  const generator = judgeGenerator(agents, measured)
  const work = { messages: total(seconds, 'acked'), deliveries: total(seconds, 'delivered') }
  const late = request.scenario.measuresNoTimes === true ? [] : generator.bottleneck
  const invalid = [...passage.troubles, ...late]
  return {
    latency: latencyOf(seconds),
    ...(plan.afterFaults === undefined
      ? {}
      : { revival: summaryOf(merged(seconds.map((one) => one.revival))) }),
    timeline: timelineOf(agents, samples, times.zeroAt),
    refusals: added(seconds.map(({ refused }) => refused)),
    connectErrors: added(seconds.map(({ connectErrors }) => connectErrors)),
    server: serverFigures(samples, loads, work, { ...connecting, clients: passage.joined }),
    ...(passage.baselines === undefined ? {} : { baselines: [...passage.baselines] }),
    generator: { agents: generator.agents },
    verdict: {
      due: total(seconds, 'due'),
      ...audit(ofReaders(passage.ledger, plan), request.settings.dialect, times.zeroAt),
    },
    valid: invalid.length === 0,
    invalid,
  }
}

/** Until the last delivery: what a load leaves behind is served after its end. */
function loadsOf({ plan, times, seconds, warmedUp }: Passage): Interval[] {
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

/** Who takes nothing from its socket is owed nothing that could be seen. */
function ofReaders(ledger: Ledger, plan: RunPlan): Ledger {
  const deaf = new Set(plan.clients.filter(({ reads }) => reads === 'never').map(({ index }) => index))
  if (deaf.size === 0) return ledger
  const parts = ledger.parts.map((part) => ({
    ...part,
    members: part.members.filter(({ client }) => !deaf.has(client)),
  }))
  return { parts }
}

function latencyOf(seconds: readonly AgentSecond[]): RunResult['latency'] {
  const of = (name: 'delivery' | 'ack' | 'connect' | 'back') =>
    summaryOf(merged(seconds.map((second) => second[name])))
  return { delivery: of('delivery'), ack: of('ack'), connect: of('connect'), back: of('back') }
}

function settledCheck({ settled }: Passage): Check {
  return {
    name: 'nothing is under way at the end',
    ok: settled.settled,
    detail: settled.settled ? 'all quiet' : `${settled.owed} sends or deliveries were still open`,
  }
}

function total(seconds: readonly AgentSecond[], property: 'due' | 'acked' | 'delivered'): number {
  return seconds.reduce((sum, second) => sum + second[property], 0)
}

function added(records: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const record of records)
    for (const [name, count] of Object.entries(record)) sums[name] = (sums[name] ?? 0) + count
  return sums
}
