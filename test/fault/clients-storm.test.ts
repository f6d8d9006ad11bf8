/**
 * Six hundred clients connect at once to a host that admits fewer per second: all get a retry time and are
 * admitted, evenly over the workers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const WORKERS = 3
const CLIENTS = 600
/** Allowed deviation: a share of the even distribution, or this number of connections. */
const UNEVEN = { share: 0.2, connections: 10 }

let rookery: RunningRookery

beforeAll(async () => {
  rookery = await startRookery({
    env: {
      WORKERS: String(WORKERS),
      ADMISSION_RATE: '100',
      HANDOFF_TIMEOUT_MS: '1000',
      // An idle session lasts for as long as the test may take.
      CONNECT_TIMEOUT_MS: '300000',
      PING_INTERVAL_MS: '300000',
    },
  })
})

afterAll(() => rookery?.kill())

async function loads(): Promise<number[]> {
  const answer = await fetch(`${rookery.adminUrl}/status`)
  const { workers } = (await answer.json()) as { workers: { connections?: number }[] }
  return workers.map(({ connections }) => connections ?? 0)
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

function expectEven(counts: readonly number[]): void {
  const even = sum(counts) / WORKERS
  const margin = Math.max(UNEVEN.connections, even * UNEVEN.share)
  expect(counts).toHaveLength(WORKERS)
  for (const count of counts)
    expect(Math.abs(count - even), `over the workers: ${counts.join()}`).toBeLessThan(margin)
}

/** @returns how often it was asked to retry */
async function come(): Promise<number> {
  for (let refusals = 0; ; refusals += 1) {
    const answer = await fetch(`${rookery.url}/socket.io/?EIO=4&transport=polling`)
    const text = await answer.text()
    if (answer.status === 200) return refusals
    expect([answer.status, JSON.parse(text)]).toMatchObject([
      503,
      { ok: false, error: { code: 'unavailable', retryable: true } },
    ])
    const retryAfterMs = Number(answer.headers.get('retry-after')) * 1_000
    expect(retryAfterMs).toBeGreaterThan(0)
    await delay(retryAfterMs * (1 + Math.random()))
  }
}

test('a connection storm', async () => {
  const coming = Array.from({ length: CLIENTS }, come)
  await until(async () => sum(await loads()) > CLIENTS / 4, 'a quarter is admitted')
  expectEven(await loads())
  const refusals = await Promise.all(coming)
  expect(sum(refusals)).toBeGreaterThan(0)
  await until(async () => sum(await loads()) === CLIENTS, 'all are admitted')
  expectEven(await loads())
  expect(rookery.log('worker died')).toBeUndefined()
})
