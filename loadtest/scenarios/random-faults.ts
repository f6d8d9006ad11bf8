/**
 * Schedules random faults: what is hit, when and for how long follows from the seed alone. A fault may start
 * while another one's effects last. Everything that is down or stopped comes back after a bounded time, and
 * the last fault ends before the schedule does. Pure.
 */
import { below, type Random, randomOf, shuffled } from '../load/random.ts'
import type { FaultKind, Step } from '../model/plan.ts'
import type { TargetShape } from '../model/target.ts'

/** What a fault hits. One part has at most one fault at a time. */
type Part = 'host' | 'worker' | 'redis' | 'link' | 'clients'

interface RandomFault {
  /** `cut`: a share of the clients is disconnected. */
  fault: FaultKind | 'cut'
  on: Part
  /** The fault kind that ends it. Without it, the fault is over at once. */
  ends?: FaultKind
  /** Shortest and longest duration. */
  holdMs?: readonly [number, number]
}

/** No planned outage lasts longer. */
export const MAX_OUTAGE_MS = 6_000
const DOWN_MS = [300, 4_000] as const
const STILL_MS = [500, MAX_OUTAGE_MS] as const
/** How long a host that is stopped takes to exit: it moves its clients first. */
export const DRAIN_MS = 3_000
/** Server settings for runs that stop and start hosts several times a minute. */
export const FAST_STOP_ENV = {
  DRAIN_MS: String(DRAIN_MS),
  STOP_DEADLINE_MS: String(DRAIN_MS + 5_000),
} as const
/** A host that has just started gets no fault for this time, or it would never serve anyone. */
const UP_MS = 2_500
/** From one fault to the next: shorter than a recovery, so faults overlap. */
const GAP_MS = [200, 4_000] as const
const FIRST_MS = 1_000

export const HOST_FAULTS: readonly RandomFault[] = [
  { fault: 'kill-worker', on: 'worker' },
  { fault: 'terminate-worker', on: 'worker' },
  { fault: 'pause-worker', on: 'worker', ends: 'resume-worker', holdMs: STILL_MS },
  { fault: 'stall-worker', on: 'worker' },
  { fault: 'kill-host', on: 'host', ends: 'start-host', holdMs: DOWN_MS },
  { fault: 'kill-primary', on: 'host', ends: 'start-host', holdMs: DOWN_MS },
  { fault: 'stop-host', on: 'host', ends: 'start-host', holdMs: DOWN_MS },
  { fault: 'pause-host', on: 'host', ends: 'resume-host', holdMs: STILL_MS },
  { fault: 'stall-primary', on: 'host' },
  { fault: 'reload', on: 'host' },
  { fault: 'cut', on: 'clients' },
]

export const REDIS_FAULTS: readonly RandomFault[] = [
  { fault: 'kill-redis', on: 'redis', ends: 'start-redis', holdMs: DOWN_MS },
  { fault: 'terminate-redis', on: 'redis', ends: 'start-redis', holdMs: DOWN_MS },
  { fault: 'pause-redis', on: 'redis', ends: 'resume-redis', holdMs: STILL_MS },
  { fault: 'cut-pubsub', on: 'redis' },
  { fault: 'cut-normal', on: 'redis' },
  { fault: 'cut-link', on: 'link', ends: 'mend-link', holdMs: STILL_MS },
  { fault: 'freeze-link', on: 'link', ends: 'mend-link', holdMs: STILL_MS },
  { fault: 'slow-link', on: 'link', ends: 'mend-link', holdMs: STILL_MS },
  { fault: 'deafen-link', on: 'link' },
]

/** Faults after which a host has a new primary. */
export const PRIMARY_ENDING_FAULTS: readonly RandomFault['fault'][] = [
  'kill-host',
  'kill-primary',
  'stop-host',
]
/** Faults after which a host has new workers. */
export const PROCESS_REPLACING_FAULTS: readonly RandomFault['fault'][] = [
  'kill-worker',
  'reload',
  ...PRIMARY_ENDING_FAULTS,
]

export interface RandomFaultOptions {
  seed: number
  shape: TargetShape
  faults: readonly RandomFault[]
  /** All planned faults end within this time. */
  withinMs: number
  /** Sometimes also stop and start one host after the other. */
  rollingRestart: boolean
  /** Shortest and longest time from one fault to the next. */
  gapMs?: readonly [number, number]
  /** The primary of the first host is never ended. */
  keepsFirstPrimary?: true
}

export function faultsOf(faults: readonly RandomFault[]): FaultKind[] {
  const all = faults.flatMap(({ fault, ends }) => [fault, ends])
  return [...new Set(all)].filter((fault) => fault !== undefined && fault !== 'cut')
}

/** In order of time. */
export function randomFaultSteps(options: RandomFaultOptions): Step[] {
  const schedule = new Schedule(options)
  const random = randomOf(options.seed, 'havoc')
  if (options.rollingRestart && random() < 0.5)
    schedule.roll(between([FIRST_MS, options.withinMs / 2], random))
  let bag: RandomFault[] = []
  for (let atMs = FIRST_MS; atMs < options.withinMs; atMs += between(options.gapMs ?? GAP_MS, random)) {
    if (bag.length === 0) bag = shuffled(options.faults, random)
    const place = bag.findIndex((fault) => schedule.tryAdd(fault, Math.round(atMs), random))
    if (place >= 0) bag.splice(place, 1)
  }
  return schedule.steps.toSorted((a, b) => a.atMs - b.atMs)
}

const between = ([least, most]: readonly [number, number], random: Random): number =>
  Math.round(least + (most - least) * random())

interface BusyTime {
  part: string
  fromMs: number
  toMs: number
}

class Schedule {
  readonly steps: Step[] = []
  readonly #options: RandomFaultOptions
  readonly #busy: BusyTime[] = []

  constructor(options: RandomFaultOptions) {
    this.#options = options
  }

  /** @returns false if the part is busy at that time */
  tryAdd(fault: RandomFault, atMs: number, random: Random): boolean {
    const firstIndex =
      this.#options.keepsFirstPrimary === true && PRIMARY_ENDING_FAULTS.includes(fault.fault) ? 1 : 0
    const which = firstIndex + below(this.#count(fault.on) - firstIndex, random)
    const holdMs = fault.holdMs === undefined ? 0 : between(fault.holdMs, random)
    const endMs = atMs + holdMs + (fault.fault === 'stop-host' ? DRAIN_MS : 0)
    const share = 0.1 + 0.9 * random()
    const isUp = fault.on === 'worker' || fault.on === 'host'
    const toMs = endMs + (fault.on === 'host' && holdMs > 0 ? UP_MS : 0)
    const hold = { part: this.#partOf(fault.on, which), fromMs: atMs, toMs }
    if (endMs > this.#options.withinMs || !this.#isFree(hold)) return false
    if (isUp && !this.#isFree({ ...hold, part: `host ${this.#hostOf(fault.on, which)}` })) return false
    this.#busy.push(hold)
    if (fault.fault === 'cut') this.steps.push(cut(atMs, share))
    else this.steps.push({ do: 'fault', atMs, fault: fault.fault, which })
    if (fault.ends !== undefined) this.steps.push({ do: 'fault', atMs: endMs, fault: fault.ends, which })
    return true
  }

  /** Stops and starts one host after the other; the next follows when the one before is up. */
  roll(fromMs: number): void {
    const eachMs = DRAIN_MS + UP_MS
    const fitting = Math.floor((this.#options.withinMs - fromMs) / eachMs)
    for (let host = 0; host < Math.min(fitting, this.#options.shape.hosts); host += 1) {
      const atMs = fromMs + host * eachMs
      this.#busy.push({ part: `host ${host}`, fromMs: atMs, toMs: atMs + eachMs })
      this.steps.push({ do: 'fault', atMs, fault: 'stop-host', which: host })
      this.steps.push({ do: 'fault', atMs: atMs + DRAIN_MS, fault: 'start-host', which: host })
    }
  }

  #count(on: Part): number {
    const { hosts, workersPerHost } = this.#options.shape
    if (on === 'worker') return hosts * workersPerHost
    return on === 'host' || on === 'link' ? hosts : 1
  }

  #partOf(on: Part, which: number): string {
    return `${on} ${which}`
  }

  #hostOf(on: Part, which: number): number {
    return on === 'worker' ? Math.floor(which / this.#options.shape.workersPerHost) : which
  }

  #isFree({ part, fromMs, toMs }: BusyTime): boolean {
    return !this.#busy.some((other) => other.part === part && other.fromMs <= toMs && other.toMs >= fromMs)
  }
}

const cut = (atMs: number, share: number): Step => ({
  do: 'cut',
  atMs,
  cut: { selection: { share }, offlineMs: 300, spreadMs: 0 },
})
