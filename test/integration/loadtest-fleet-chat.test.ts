import { afterEach, expect, test } from 'vitest'
import { audit } from '../../loadtest/audit/audit.ts'
import type { MemberRecord } from '../../loadtest/model/delivery-records.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { type FleetAsked, FleetUnderTest } from '../harness/loadtest/fleet.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let crowd: FleetUnderTest

async function open(asked: Partial<FleetAsked> = {}): Promise<void> {
  rookery = await startRookery({ env: UNLIMITED_RATES })
  crowd = new FleetUnderTest({ url: rookery.url, count: 12, rooms: 3, dialect: 'chat', ...asked })
  await crowd.open()
}

afterEach(async () => {
  await crowd.close()
  await rookery.stop()
})

/** All sends were acked, and each member was shown those of its room once, in the log's order. */
async function expectWhole(count: number): Promise<MemberRecord[]> {
  expect(await crowd.fleet.settle(60_000)).toEqual({ settled: true, outstanding: 0, joined: 12 })
  const records = await crowd.fleet.records()
  const { parts } = records
  expect(audit(records, 'chat')).toMatchObject({ ok: true, sent: count, acked: count, expected: count * 4 })
  for (const counter of ['due', 'sent', 'acked'] as const) expect(crowd.sum(counter)).toBe(count)
  expect(crowd.sum('unanswered')).toBe(0)
  expect(crowd.sum('delivered')).toBe(count * 4)
  const acked = parts.flatMap(({ sends }) =>
    [...sends.keys].map((key, row) => ({ key, room: sends.rooms[row], seq: sends.seqs[row] ?? Number.NaN })),
  )
  expect(acked).toHaveLength(count)
  const members = parts.flatMap((part) => part.members)
  expect(members).toHaveLength(12)
  for (const { room, keys, seqs = new Float64Array(), head, foreignIds } of members) {
    const log = acked.filter((send) => send.room === room).toSorted((a, b) => a.seq - b.seq)
    expect([...keys]).toEqual(log.map(({ key }) => key))
    expect([...seqs]).toEqual(log.map((_, place) => head + place + 1))
    expect(foreignIds).toEqual([])
  }
  return members
}

test.each(['raw', 'stock'] as const)(
  "%s clients of the chat: all messages are acked and shown in the log's order",
  async (kind) => {
    await open({ kind })
    crowd.load({ ratePerSec: 100 })
    await crowd.has('due', 100)
    await expectWhole(100)
  },
)

test('clients that upgrade from long polling', async () => {
  await open({ wanted: { transport: 'upgrade' } })
  crowd.load({ ratePerSec: 100 })
  await crowd.has('due', 100)
  await expectWhole(100)
})

test('clients that are disconnected, and whose worker is killed, miss nothing, and their waiting messages are sent', async () => {
  await open()
  const at = crowd.load({ ratePerSec: 100, durationMs: 4_000 })
  const cut = crowd.plans.slice(0, 6).map(({ index }) => index)
  crowd.fleet.cut({ clients: cut, at: cut.map((index) => at + 200 * index) }, 500)
  await until(() => nowMs() > at + 2_000, 'half of the messages were due')
  rookery.killWorker(0)
  await crowd.has('due', 400)
  const members = await expectWhole(400)
  expect(members.filter(({ absences }) => absences.length > 0).length).toBeGreaterThanOrEqual(6)
  expect(crowd.sum('disconnects')).toBeGreaterThan(0)
  expect(crowd.latency('back').totalCount).toBe(
    members.reduce((sum, { absences }) => sum + absences.length, 0),
  )
})
