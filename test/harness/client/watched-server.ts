import { expect } from 'vitest'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../cluster/cluster.ts'
import { Network } from '../network/proxy.ts'
import { Watch, type WatchOptions } from './watch.ts'

/** One host, a network to it that can fail, and clients that watch a room on it. */
export class WatchedServer {
  rookery: RunningRookery
  readonly network: Network
  /** The open clients. */
  readonly watches: Watch[] = []

  private constructor(rookery: RunningRookery, network: Network) {
    this.rookery = rookery
    this.network = network
  }

  static async start(env: Record<string, string> = {}): Promise<WatchedServer> {
    const rookery = await startRookery({ env: { ...UNLIMITED_RATES, ...env } })
    return new WatchedServer(rookery, await Network.to(rookery.port))
  }

  watch(name: string, options: Partial<WatchOptions> = {}): Watch {
    const one = new Watch({ url: this.rookery.url, name, ...options })
    this.watches.push(one)
    return one
  }

  /** A client on the network that can fail. */
  watchOverNetwork(name: string, options: Partial<WatchOptions> = {}): Watch {
    return this.watch(name, { url: this.network.url, ...options })
  }

  async closeWatches(): Promise<void> {
    await Promise.all(this.watches.splice(0).map((one) => one.close()))
  }

  async close(): Promise<void> {
    await this.closeWatches()
    await this.network.close()
    expect(await this.rookery.stop()).toBe(0)
  }
}
