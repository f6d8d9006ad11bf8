/**
 * Several hosts of the built product over one Redis, on ports of 127.0.0.1. A host that restarts keeps its port, as a balancer
 * expects. For hosts with their own addresses and networks see `hosts.ts`.
 */
import { freePort } from '../network/free-port.ts'
import { startRedis, type TestRedis } from '../redis/redis.ts'
import { until } from '../until.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from './cluster.ts'
import { metricSum } from './metric-sum.ts'

export interface LoopbackHostsOptions {
  hosts: number
  workersPerHost: number
  env?: Record<string, string>
  args?: string[]
}

export class LoopbackHosts {
  readonly redis: TestRedis
  readonly ports: readonly number[]
  readonly #options: LoopbackHostsOptions
  readonly #all: RunningRookery[] = []

  private constructor(redis: TestRedis, ports: readonly number[], options: LoopbackHostsOptions) {
    this.redis = redis
    this.ports = ports
    this.#options = options
  }

  static async start(options: LoopbackHostsOptions): Promise<LoopbackHosts> {
    const ports: number[] = []
    for (let n = 0; n < options.hosts; n += 1) ports.push(await freePort())
    const hosts = new LoopbackHosts(await startRedis({ appendonly: 'always' }), ports, options)
    try {
      await Promise.all(ports.map((_, index) => hosts.startHost(index)))
      await hosts.#untilAcquainted()
    } catch (error) {
      await hosts.stop()
      throw error
    }
    return hosts
  }

  at(index: number): RunningRookery {
    const host = this.#all[index]
    if (host === undefined) throw new Error(`there is no host ${index}`)
    return host
  }

  /** Starts or restarts on its port. Resolves when it accepts connections. */
  async startHost(index: number): Promise<void> {
    const { workersPerHost, env, args } = this.#options
    this.#all[index] = await startRookery({
      ...(args === undefined ? {} : { args }),
      env: {
        ...UNLIMITED_RATES,
        PORT: String(this.ports[index]),
        WORKERS: String(workersPerHost),
        REDIS_URL: this.redis.url,
        CLUSTER_SECRET: 'a secret of more than thirty-two bytes',
        HOST_NAME: `rookery-${index + 1}`,
        DRAIN_MS: '1000',
        ...env,
      },
    })
    const url = `http://127.0.0.1:${this.ports[index]}/readyz`
    await until(async () => (await fetch(url)).status === 200, 'the host accepts connections')
  }

  /** Restarts the hosts that a failed test left stopped. */
  async restore(): Promise<void> {
    for (const index of this.ports.keys()) {
      const { exitCode, signalCode } = this.at(index).process
      if (exitCode !== null || signalCode !== null) await this.startHost(index)
    }
    await this.#untilAcquainted()
  }

  /** The sum of a metric's series on each running host. */
  async metricByHost(name: string): Promise<number[]> {
    const running = this.#all.filter(
      ({ process }) => process.exitCode === null && process.signalCode === null,
    )
    return Promise.all(running.map(({ adminUrl }) => metricSum(adminUrl, name)))
  }

  async metric(name: string): Promise<number> {
    return (await this.metricByHost(name)).reduce((sum, value) => sum + value, 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((host) => host.stop()))
    await this.redis.stop()
  }

  /** Resolves when each host knows all others. */
  async #untilAcquainted(): Promise<void> {
    for (const { adminUrl } of this.#all) {
      await until(async () => {
        const answer = await fetch(`${adminUrl}/status`)
        const status = (await answer.json()) as { hosts: unknown[] }
        return status.hosts.length === this.ports.length - 1
      }, 'the hosts know each other')
    }
  }
}
