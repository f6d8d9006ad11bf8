import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { sized } from '../harness/long-run.ts'
import { connectMany } from '../harness/network/raw-socket-io.ts'
import { otherNodes } from '../harness/node-versions.ts'

const ECHO = fileURLToPath(new URL('../fixtures/apps/echo.js', import.meta.url))
const nodes = [
  {
    version: process.versions.node,
    path: process.execPath,
    concurrent: sized(3_000, 20_000),
    sequential: sized(300, 1_000),
  },
  ...otherNodes.map(({ major, path }) => ({
    version: `${major}`,
    path,
    concurrent: sized(1_000, 5_000),
    sequential: sized(100, 500),
  })),
]

let rookery: RunningRookery

afterEach(() => rookery.kill())

async function swallowedBytes(): Promise<string | undefined> {
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  return /^rookery_front_swallowed_bytes_total (.*)$/m.exec(metrics)?.[1]
}

test.each(nodes)(
  'Node $version: $concurrent WebSocket connects at 64 at a time, and $sequential one after another, are all answered',
  async ({ path, concurrent, sequential }) => {
    rookery = await startRookery({ node: path, env: { ADMISSION_RATE: '0' }, args: ['--app', ECHO] })
    expect(await connectMany(rookery.port, concurrent, 64)).toEqual({ answered: concurrent, failures: [] })
    expect(await connectMany(rookery.port, sequential, 1)).toEqual({ answered: sequential, failures: [] })
    expect(await swallowedBytes()).toBe('0')
    expect(rookery.workerNames()).toHaveLength(2)
  },
  300_000,
)
