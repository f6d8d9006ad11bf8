/**
 * Several hosts of the built product over one Redis, each with its own address. Their primaries can be killed and paused, and
 * their link to Redis can be cut. `stop()` ends everything.
 */
import { until } from '../until.ts'
import { type LogLine, type RunningRookery, startRookery, UNLIMITED_RATES } from './cluster.ts'
import type { HostNetwork, HostPlace } from './host-networks.ts'
import { metricSum } from './metric-sum.ts'

const CLIENT_PORT = 3_000
const ADMIN_PORT = 9_464

const CLUSTER_SECRET = 'a secret of the whole cluster, long enough'

export interface HostsOptions {
  hosts?: number
  workersPerHost?: number
  /** Settings that name Redis, when it is more than one server. */
  redisEnv?: Record<string, string>
  env?: Record<string, string>
  /** Does not wait until they are ready. */
  untilReady?: boolean
}

/** Errors of the application are contained, but the chat must have none. */
const FAULTS = ['worker died', 'an error in the application']

export class TestHost {
  readonly name: string
  readonly place: HostPlace
  readonly #env: Record<string, string>
  #rookery: RunningRookery | undefined
  #meantToDie = false

  constructor(name: string, place: HostPlace, env: Record<string, string>) {
    this.name = name
    this.place = place
    this.#env = env
  }

  get rookery(): RunningRookery {
    if (this.#rookery === undefined) throw new Error(`${this.name} was never started`)
    return this.#rookery
  }

  get url(): string {
    return `http://${this.place.address}:${CLIENT_PORT}`
  }

  get adminUrl(): string {
    return `http://${this.place.address}:${ADMIN_PORT}`
  }

  async start(untilReady = true): Promise<void> {
    this.#meantToDie = false
    this.#rookery = await startRookery({ env: this.#env, within: this.place.within, untilReady })
  }

  /** SIGKILL to the primary. */
  async killPrimary(): Promise<void> {
    this.#meantToDie = true
    await this.rookery.kill()
  }

  /** Pauses the primary (SIGSTOP); its workers continue. */
  pause(): void {
    this.rookery.signal('SIGSTOP')
  }

  resume(): void {
    this.rookery.signal('SIGCONT')
  }

  async restore(): Promise<void> {
    const { exitCode, signalCode } = this.rookery.process
    await this.place.heal()
    if (exitCode === null && signalCode === null) this.resume()
    else await this.start()
  }

  async stop(): Promise<void> {
    if (this.#rookery === undefined) return
    this.#rookery.signal('SIGCONT')
    await this.#rookery.kill()
  }

  async isReady(): Promise<boolean> {
    return (await this.readiness()).status === 200
  }

  async readiness(): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${this.url}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }

  async status(): Promise<{ degraded: string | null; hosts: { name: string }[] }> {
    return (await fetch(`${this.adminUrl}/status`)).json() as Promise<{
      degraded: string | null
      hosts: { name: string }[]
    }>
  }

  /** The sum of a metric over its labels, or over the series that have all of `labels`. */
  metric(name: string, labels?: Record<string, string>): Promise<number> {
    return metricSum(this.adminUrl, name, labels)
  }

  /** Log lines about processes that exited without being killed by the test, or should have. */
  deaths(): LogLine[] {
    const { logs, process } = this.rookery
    const ended = process.exitCode ?? process.signalCode
    const died = logs.filter(({ msg, level }) => FAULTS.includes(msg) || level === 'fatal')
    if (ended !== null && !this.#meantToDie)
      died.push({
        level: 'fatal',
        msg: `the primary of ${this.name} ended: ${ended}\n${this.rookery.tail()}`,
      })
    return died
  }
}

export class TestHosts {
  readonly all: readonly TestHost[]

  constructor(all: readonly TestHost[]) {
    this.all = all
  }

  get urls(): string[] {
    return this.all.map(({ url }) => url)
  }

  at(index: number): TestHost {
    const host = this.all[index]
    if (host === undefined) throw new Error(`there is no host ${index}`)
    return host
  }

  cutLink(index: number): Promise<void> {
    return this.at(index).place.cut()
  }

  healLink(index: number): Promise<void> {
    return this.at(index).place.heal()
  }

  /** Resolves when every host is ready and knows all others. */
  async untilWhole(): Promise<void> {
    for (const host of this.all)
      await until(
        async () => {
          const { degraded, hosts } = await host.status()
          return degraded === null && hosts.length === this.all.length - 1
        },
        `${host.name} is healthy and knows the others`,
        () => host.rookery.tail(),
      )
  }

  /** Restarts, resumes and reconnects everything that a failed test left killed, paused or cut off. */
  async restore(): Promise<void> {
    await Promise.all(this.all.map((host) => host.restore()))
    await this.untilWhole()
  }

  /** The sum over all hosts. */
  async metric(name: string, labels?: Record<string, string>): Promise<number> {
    const values = await Promise.all(this.all.map((host) => host.metric(name, labels)))
    return values.reduce((sum, value) => sum + value, 0)
  }

  deaths(): LogLine[] {
    return this.all.flatMap((host) => host.deaths())
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((host) => host.stop()))
  }
}

/** @param redis listens on the gateway of the network */
export async function startHosts(
  net: HostNetwork,
  redis: { host: string; port: number },
  options: HostsOptions = {},
): Promise<TestHosts> {
  const { workersPerHost = 2, redisEnv, env = {}, untilReady = true } = options
  const all: TestHost[] = []
  for (const [index, place] of net.places.slice(0, options.hosts ?? net.places.length).entries()) {
    const name = `host-${index}`
    all.push(
      new TestHost(name, place, {
        ...UNLIMITED_RATES,
        HOST: place.listenOn,
        // A host that listens on every address finds its own.
        ...(place.listenOn === place.address ? { ADVERTISE_HOST: place.address } : {}),
        PORT: String(CLIENT_PORT),
        ADMIN_HOST: place.listenOn,
        ADMIN_PORT: String(ADMIN_PORT),
        HOST_NAME: name,
        WORKERS: String(workersPerHost),
        CLUSTER_SECRET,
        ...(redisEnv ?? { REDIS_URL: await place.redisUrl(redis) }),
        ...env,
      }),
    )
  }
  const hosts = new TestHosts(all)
  try {
    await Promise.all(all.map((host) => host.start(untilReady)))
    if (untilReady) await hosts.untilWhole()
    return hosts
  } catch (error) {
    await hosts.stop()
    throw error
  }
}
