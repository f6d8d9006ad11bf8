/** STOP_DELAY_MS: balancers learn of a stop before connections are refused. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Member } from '../harness/members/member.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery

beforeAll(async () => {
  const env = { WORKERS: '1', STOP_DELAY_MS: '300000', STOP_DEADLINE_MS: '600000' }
  rookery = await startRookery({ env })
})
afterAll(() => rookery.kill())

const answerOf = async (url: string) => (await fetch(url)).status

test('a stopping host is not ready, serves on meanwhile, and ends at once when it is told again', async () => {
  const early = new Member(rookery.url, 'lobby', 'early')
  await early.joined()
  rookery.signal('SIGTERM')
  await until(async () => (await answerOf(`${rookery.url}/readyz`)) === 503, 'it is not ready')
  expect(await (await fetch(`${rookery.url}/readyz`)).text()).toContain('the host is stopping')
  expect(await answerOf(`${rookery.adminUrl}/readyz`)).toBe(503)
  expect(await answerOf(`${rookery.url}/healthz`)).toBe(200)

  const late = new Member(rookery.url, 'lobby', 'late')
  await late.joined()
  const { seq } = await late.send('m-1', 'hello')
  await early.has(seq)
  expect([early.disconnects, late.disconnects]).toEqual([0, 0])
  for (const member of [early, late]) member.close()

  // Within half a second a second signal counts as the same.
  await until(() => {
    rookery.signal('SIGTERM')
    return rookery.process.exitCode !== null
  }, 'it has ended')
})
