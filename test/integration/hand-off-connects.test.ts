/** No packet is lost between the front door and a worker, on every supported version of Node. */
import { afterEach, describe, expect, test } from 'vitest'
import { HandOffHost, type HandOffSettings, metricSum } from '../harness/hand-off/host.ts'
import { connectMany, connectRaw } from '../harness/network/raw-socket-io.ts'
import { otherNodes } from '../harness/node-versions.ts'
import { until } from '../harness/until.ts'

let host: HandOffHost | undefined
afterEach(async () => {
  await host?.stop()
  host = undefined
})

async function start(settings: HandOffSettings, execPath?: string): Promise<HandOffHost> {
  host = await HandOffHost.start(settings, execPath)
  return host
}

const nodes = [
  { version: process.version, execPath: process.execPath, concurrent: 3_000, sequential: 500 },
  ...otherNodes.map(({ major, path }) => ({
    version: `${major}`,
    execPath: path,
    concurrent: 1_000,
    sequential: 200,
  })),
]

describe.each(nodes)('on Node $version', ({ execPath, concurrent, sequential }) => {
  test(`${concurrent} connects at 64 at a time and ${sequential} one after another are all answered`, async () => {
    const started = await start({ workers: 2, limits: { admissionPerSecond: 0 } }, execPath)
    const idle = await started.report()
    expect(await connectMany(started.port, concurrent, 64)).toEqual({ answered: concurrent, failures: [] })
    expect(await connectMany(started.port, sequential, 1)).toEqual({ answered: sequential, failures: [] })

    await until(async () => (await started.report()).tcpHandles <= idle.tcpHandles, 'no handle is left')
    const after = await started.report()
    const total = concurrent + sequential
    expect(after.descriptors).toBeLessThanOrEqual(idle.descriptors)
    expect(metricSum(after, 'rookery_front_connections_total')).toBe(total)
    expect(metricSum(after, 'rookery_front_handed_over_total', { kind: 'handshake' })).toBe(total)
    expect(metricSum(after, 'rookery_front_swallowed_bytes_total')).toBe(0)
  }, 240_000)
})

test('without the guard the primary loses packets, and this is detected', async () => {
  const started = await start({ workers: 2, stopReadingBeforeTransfer: false })
  const silence = await firstSilence(started.port)
  expect(silence).toContain('silence while waiting for')
  expect(metricSum(await started.report(), 'rookery_front_swallowed_bytes_total')).toBeGreaterThan(0)
})

/** Connects one client after another, 2,000 at most, until one gets no answer. */
async function firstSilence(port: number): Promise<string | null> {
  for (let made = 0; made < 2_000; made += 1) {
    const session = await connectRaw(port, 1_000).catch(String)
    if (typeof session === 'string') return session
    session.close()
  }
  return null
}
