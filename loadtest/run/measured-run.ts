/**
 * One measured run against a running target: connect, run the steps, settle, collect the delivery records.
 * Always ends its client processes. Returns raw observations; others judge them.
 */
import { randomBytes } from 'node:crypto'
import type { Fleet, FleetOptions, Settled } from '../fleet/fleet.ts'
import { openFleet } from '../fleet/open-fleet.ts'
import { addressClients } from '../load/addresses.ts'
import { inRunRooms } from '../load/identities.ts'
import type { Interval } from '../measure/samples.ts'
import { type ServerSample, ServerSampler } from '../measure/server-sampler.ts'
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { DeliveryRecords } from '../model/delivery-records.ts'
import type { RunPlan } from '../model/plan.ts'
import type { Baseline } from '../model/result.ts'
import type { RunningTarget } from '../model/target.ts'
import { nowMs } from '../system/clock.ts'
import type { RunObserver } from './observer.ts'
import { refuseUnnamedHosts } from './request/allowed-addresses.ts'
import type { RunRequest } from './request/request.ts'
import { supportedPlan } from './request/supported-plan.ts'
import { ResourceBaselines } from './resource-baselines.ts'
import { endMs, runAfterFaults, runSteps, type StepContext } from './step-runner.ts'
import { unlessStopped, waitUntil } from './wait.ts'
import { warmUpServers } from './warm-up.ts'

/** Most deliveries that one client process records: 16 bytes each. */
const RECORD_LIMIT = 20_000_000
/** After the last client started to connect. */
const JOIN_MS = 60_000
/**
 * How often to wait once more while clients still join: a busy server that makes progress is not a failure.
 */
const EXTRA_JOIN_WAITS = 2
/** For clients that were disconnected. */
const REJOIN_MS = 30_000
/** How long outstanding deliveries are waited for after Ctrl-C. */
const INTERRUPTED_SETTLE_MS = 3_000
/** How long settling and collecting the records usually take. */
const AFTER_MS = 1_500
/** From a command to its effect. */
const LEAD_MS = 300

export interface MeasuredRun {
  plan: RunPlan
  startedAt: Date
  /** Times of `system/clock.ts`. */
  times: {
    beganAt: number
    connectAt: number
    joinedAt: number
    zeroAt: number
    stepsEndedAt: number
    endedAt: number
  }
  joined: number
  perAgent: readonly number[]
  seconds: readonly { agent: number; second: AgentSecond }[]
  samples: readonly ServerSample[]
  marks: readonly { atMs: number; label: string }[]
  settled: Settled
  records: DeliveryRecords
  /** The load before the zero, if any. */
  warmedUp: Interval | undefined
  baselines: readonly Baseline[] | undefined
  /** Reasons why the figures must not be used. */
  problems: readonly string[]
  interrupted: boolean
}

export async function measureRun(
  target: RunningTarget,
  request: RunRequest,
  observer: RunObserver,
): Promise<MeasuredRun> {
  const plan = supportedPlan(request, target)
  refuseUnnamedHosts(target.urls, request.urls)
  const seconds: { agent: number; second: AgentSecond }[] = []
  const sampler = await ServerSampler.start(target)
  let samples: readonly ServerSample[] | undefined
  let fleet: Fleet | undefined
  try {
    if (plan.baseline !== undefined) {
      observer.phase('warm-up')
      await warmUpServers(fleetOptionsOf(plan, request, target), plan.baseline.warmUp, observer.stop)
    }
    fleet = await openFleet({
      ...fleetOptionsOf(plan, request, target),
      onSecond: (agent, second) => {
        seconds.push({ agent, second })
        observer.second(agent, second)
      },
    })
    const sequence = new RunSequence({ fleet, target, plan, request, observer, sampler })
    const outcome = await sequence.run()
    samples = await sampler.stop()
    return { plan, perAgent: fleet.perAgent, seconds, samples, ...outcome }
  } finally {
    if (samples === undefined) await sampler.stop()
    await fleet?.close()
  }
}

/** Each call makes rooms and users of its own. */
function fleetOptionsOf(
  { clients }: RunPlan,
  { agents, settings: { seed, dialect }, kind }: RunRequest,
  { urls }: RunningTarget,
): Omit<FleetOptions, 'onSecond'> {
  const run = randomBytes(4).toString('hex')
  const addressed = addressClients(inRunRooms(clients, run), urls)
  return { agents, seed, run, dialect, kind, clients: addressed, recordLimit: RECORD_LIMIT }
}

const plannedMs = ({ steps, afterFaults, baseline }: RunPlan): number =>
  (baseline?.warmUp.durationMs ?? 0) + Math.max(0, ...steps.map(endMs)) + (afterFaults?.durationMs ?? 0)

async function runAllSteps({ steps, afterFaults }: RunPlan, context: StepContext): Promise<void> {
  const loadedUntil = await runSteps(steps, context, afterFaults)
  if (afterFaults !== undefined) await runAfterFaults(afterFaults, context, loadedUntil)
}

interface SequenceParts {
  fleet: Fleet
  target: RunningTarget
  plan: RunPlan
  request: RunRequest
  observer: RunObserver
  sampler: ServerSampler
}

type SequenceOutcome = Omit<MeasuredRun, 'plan' | 'perAgent' | 'seconds' | 'samples'>

class RunSequence {
  readonly #parts: SequenceParts
  readonly #marks: { atMs: number; label: string }[] = []
  readonly #problems: string[] = []
  readonly #baselines: ResourceBaselines | undefined

  constructor(parts: SequenceParts) {
    this.#parts = parts
    const { plan, target, observer } = parts
    if (plan.baseline === undefined) return
    this.#baselines = new ResourceBaselines({ target, returnMs: plan.baseline.returnMs, stop: observer.stop })
  }

  async run(): Promise<SequenceOutcome> {
    const startedAt = new Date()
    const beganAt = nowMs()
    await this.#count('note', 'none')
    const { connectAt, joined } = await this.#connect()
    const joinedAt = nowMs()
    await this.#parts.sampler.sample()
    const warmedUp = joined === 0 ? undefined : await this.#warmUp()
    await this.#count('note', 'all')
    const zeroAt = nowMs() + LEAD_MS
    if (joined > 0) await this.#runSteps(zeroAt)
    const stepsEndedAt = nowMs()
    const settled = await this.#settle(joined)
    await this.#count('compare', 'all')
    this.#parts.observer.phase('reading the delivery records')
    const records = await this.#parts.fleet.records()
    const endedAt = nowMs()
    if (this.#baselines !== undefined) await this.#parts.fleet.close()
    await this.#count('compare', 'none')
    return {
      startedAt,
      times: { beganAt, connectAt, joinedAt, zeroAt, stepsEndedAt, endedAt },
      joined,
      marks: this.#marks,
      settled,
      records,
      warmedUp,
      baselines: this.#baselines?.compared,
      problems: [...this.#problems, ...this.#parts.target.unexpectedExits()],
      interrupted: this.#stop.aborted,
    }
  }

  get #stop(): AbortSignal {
    return this.#parts.observer.stop
  }

  async #connect(): Promise<{ connectAt: number; joined: number }> {
    const { fleet, plan, observer } = this.#parts
    const lastMs = Math.max(0, ...plan.clients.map(({ connectAtMs }) => connectAtMs))
    observer.phase('connecting', lastMs + plannedMs(plan) + AFTER_MS)
    const connectAt = nowMs() + LEAD_MS
    fleet.connect(connectAt)
    const joined = (await unlessStopped(this.#untilJoined(lastMs), this.#stop)) ?? observer.joined
    return { connectAt, joined }
  }

  async #untilJoined(lastMs: number): Promise<number> {
    const { fleet, plan } = this.#parts
    let before = 0
    let joined = await fleet.untilJoined(lastMs + JOIN_MS)
    for (
      let again = 0;
      again < EXTRA_JOIN_WAITS && joined > before && joined < plan.clients.length;
      again += 1
    ) {
      before = joined
      joined = await fleet.untilJoined(JOIN_MS)
    }
    return joined
  }

  async #count(does: 'note' | 'compare', clients: Baseline['clients']): Promise<void> {
    if (this.#baselines === undefined) return
    this.#parts.observer.phase('counting resources')
    const counted = this.#baselines[does](clients).catch((error: unknown) => this.#addProblem(error))
    await unlessStopped(counted, this.#stop)
  }

  /** Every client sends, and its messages are delivered. */
  async #warmUp(): Promise<Interval | undefined> {
    const { fleet, plan, observer } = this.#parts
    if (plan.baseline === undefined || this.#stop.aborted) return undefined
    observer.phase('first load', plannedMs(plan) + AFTER_MS)
    const { warmUp } = plan.baseline
    const fromAt = nowMs() + LEAD_MS
    fleet.load(warmUp, fromAt)
    await waitUntil(fromAt + warmUp.durationMs, this.#stop)
    await unlessStopped(fleet.settle(plan.settleMs), this.#stop)
    return { fromAt, toAt: nowMs() }
  }

  /** Ends at once when the fleet fails. */
  async #runSteps(zeroAt: number): Promise<void> {
    const { fleet, target, plan, request, observer } = this.#parts
    observer.phase('load', plannedMs(plan) + AFTER_MS)
    const failed = new AbortController()
    const context: StepContext = {
      fleet,
      faults: target.faults,
      clients: plan.clients,
      seed: request.settings.seed,
      zeroAt,
      stop: AbortSignal.any([this.#stop, failed.signal]),
      mark: (atMs, label) => {
        this.#marks.push({ atMs, label })
        observer.mark(label)
      },
      now: nowMs,
    }
    const steps = runAllSteps(plan, context).catch((error: unknown) => this.#addProblem(error))
    try {
      await Promise.race([steps, fleet.failed])
    } finally {
      failed.abort()
    }
  }

  async #settle(joined: number): Promise<Settled> {
    const { fleet, target, plan, observer } = this.#parts
    const hasFaults = plan.steps.some((step) => step.do === 'fault')
    const hasAbsent = hasFaults || plan.steps.some((step) => step.do === 'cut' || step.do === 'churn')
    observer.phase('settling')
    if (hasFaults) await unlessStopped(this.#untilReady(target), this.#stop)
    if (hasAbsent && joined > 0) await unlessStopped(fleet.untilJoined(REJOIN_MS), this.#stop)
    if (this.#stop.aborted) return fleet.settle(INTERRUPTED_SETTLE_MS)
    const settling = fleet.settle(plan.settleMs)
    await unlessStopped(settling, this.#stop)
    const interrupted = AbortSignal.any(
      this.#stop.aborted ? [AbortSignal.timeout(INTERRUPTED_SETTLE_MS)] : [],
    )
    return (
      (await unlessStopped(settling, interrupted)) ?? {
        settled: false,
        outstanding: 0,
        joined: observer.joined,
      }
    )
  }

  async #untilReady(target: RunningTarget): Promise<void> {
    try {
      await target.untilReady()
    } catch (error) {
      this.#addProblem(error)
    }
  }

  #addProblem(error: unknown): void {
    this.#problems.push(error instanceof Error ? error.message : String(error))
  }
}
