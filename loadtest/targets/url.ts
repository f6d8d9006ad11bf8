/** The user's own running servers: only their addresses are known, and no faults are injected. */
import { until } from '../../test/harness/until.ts'
import type { RunningTarget, Target, TargetOptions } from '../model/target.ts'
import { acceptsConnections } from './documented-server.ts'

export const url: Target = {
  name: 'url',
  title:
    'servers that already run, at the given addresses; with the chat, or with apps/bench.js as their application',
  dialects: ['chat', 'bench', 'bare'],
  defaultShape: { hosts: 1, workersPerHost: 1 },
  limits: { hosts: 64, workersPerHost: 1 },
  start: async (options) => new RemoteServers(options),
}

class RemoteServers implements RunningTarget {
  readonly urls: readonly (readonly string[])[]
  readonly probeDirectory = undefined
  readonly faults = {}

  constructor({ urls }: TargetOptions) {
    if (urls.length === 0) throw new Error('the target url needs at least one address')
    this.urls = urls.map((address) => [address])
  }

  processes(): readonly [] {
    return []
  }

  async redis(): Promise<undefined> {}

  async redisResources(): Promise<undefined> {}

  async untilReady(): Promise<void> {
    for (const [address = ''] of this.urls) {
      const { hostname, port, protocol } = new URL(address)
      const usual = protocol === 'https:' || protocol === 'wss:' ? 443 : 80
      await until(
        () => acceptsConnections(hostname.replace(/^\[|\]$/g, ''), port === '' ? usual : Number(port)),
        `${address} accepts connections`,
      )
    }
  }

  unexpectedExits(): readonly [] {
    return []
  }

  tail(): string {
    return ''
  }

  async stop(): Promise<void> {}
}
