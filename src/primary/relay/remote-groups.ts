/**
 * Groups of other hosts, updated by numbered changes. A missing number makes a host stale until it has sent a
 * snapshot. Pure. Bounded: beyond the limit memberships are refused.
 */

/** Limit of memberships of one host. */
const MAX_MEMBERSHIPS = 100_000

export interface Membership {
  topic: string
  worker: string
}

export interface GroupsChange {
  entered: Membership[]
  left: Membership[]
}

interface HostState {
  /** Undefined: stale, the host must send a snapshot. */
  version: number | undefined
  /** By topic. */
  workers: Map<string, Set<string>>
  size: number
}

export class RemoteGroups {
  readonly #hosts = new Map<string, HostState>()
  readonly #maxMemberships: number
  #refused = 0

  constructor(maxMemberships = MAX_MEMBERSHIPS) {
    this.#maxMemberships = maxMemberships
  }

  /** Memberships of all hosts. */
  get size(): number {
    let size = 0
    for (const state of this.#hosts.values()) size += state.size
    return size
  }

  /** Memberships that were refused because there were too many. */
  get refused(): number {
    return this.#refused
  }

  /** Hosts that must send a snapshot. */
  stale(): string[] {
    return [...this.#hosts].filter(([, { version }]) => version === undefined).map(([host]) => host)
  }

  /** Adds a host, as stale. */
  open(host: string): void {
    if (!this.#hosts.has(host)) this.#hosts.set(host, { version: undefined, workers: new Map(), size: 0 })
  }

  markStale(host: string): void {
    const state = this.#hosts.get(host)
    if (state !== undefined) state.version = undefined
  }

  /** @returns `undefined` if nothing changes, `stale` if an earlier change is missing */
  change(
    host: string,
    { topic, worker, joined, version }: Membership & { joined: boolean; version: number },
  ): GroupsChange | 'stale' | undefined {
    const state = this.#hosts.get(host)
    if (state?.version === undefined || version <= state.version) return undefined
    if (version !== state.version + 1) {
      state.version = undefined
      return 'stale'
    }
    state.version = version
    const changed = joined ? this.#enter(state, topic, worker) : leave(state, topic, worker)
    if (!changed) return undefined
    return { entered: joined ? [{ topic, worker }] : [], left: joined ? [] : [{ topic, worker }] }
  }

  /** Applies a snapshot. */
  replace(
    host: string,
    version: number,
    groups: readonly { topic: string; workers: readonly string[] }[],
  ): GroupsChange {
    const state = this.#hosts.get(host)
    if (state === undefined) return { entered: [], left: [] }
    const current = new Map(groups.map(({ topic, workers }) => [topic, new Set(workers)]))
    const left = membershipsOf(state).filter(({ topic, worker }) => current.get(topic)?.has(worker) !== true)
    for (const { topic, worker } of left) leave(state, topic, worker)
    const entered: Membership[] = []
    for (const [topic, workers] of current) {
      for (const worker of workers) if (this.#enter(state, topic, worker)) entered.push({ topic, worker })
    }
    state.version = version
    return { entered, left }
  }

  dropWorker(host: string, worker: string): void {
    const state = this.#hosts.get(host)
    if (state === undefined) return
    for (const topic of state.workers.keys()) leave(state, topic, worker)
  }

  /** @returns the workers that were in a group */
  dropHost(host: string): Set<string> {
    const state = this.#hosts.get(host)
    this.#hosts.delete(host)
    return new Set(state === undefined ? [] : membershipsOf(state).map(({ worker }) => worker))
  }

  #enter(state: HostState, topic: string, worker: string): boolean {
    const workers = state.workers.get(topic) ?? new Set<string>()
    if (workers.has(worker)) return false
    if (state.size >= this.#maxMemberships) {
      this.#refused += 1
      return false
    }
    state.workers.set(topic, workers.add(worker))
    state.size += 1
    return true
  }
}

function leave(state: HostState, topic: string, worker: string): boolean {
  const workers = state.workers.get(topic)
  if (workers?.delete(worker) !== true) return false
  state.size -= 1
  if (workers.size === 0) state.workers.delete(topic)
  return true
}

function membershipsOf({ workers }: HostState): Membership[] {
  return [...workers].flatMap(([topic, members]) => [...members].map((worker) => ({ topic, worker })))
}
