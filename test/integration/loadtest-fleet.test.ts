import { spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { audit } from '../../loadtest/audit/audit.ts'
import { senderOf } from '../../loadtest/model/delivery-records.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { inPackage } from '../../loadtest/system/package-root.ts'
import { BenchServer } from '../harness/loadtest/bench-server.ts'
import { type FleetAsked, FleetUnderTest } from '../harness/loadtest/fleet.ts'
import { until } from '../harness/until.ts'

const FLEET = inPackage('dist/tools/loadtest/fleet/open-fleet.js')

let server: BenchServer
let crowd: FleetUnderTest

async function open(asked: Partial<FleetAsked> = {}): Promise<void> {
  server = await BenchServer.start()
  crowd = new FleetUnderTest({ url: server.url, count: 10, rooms: 2, ...asked })
  await crowd.open()
}

afterEach(async () => {
  await crowd.close()
  await server.stop()
})

/** Pauses this process, and the server in it, without using the machine. */
function stall(ms: number): { from: number; to: number } {
  const from = nowMs()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return { from, to: nowMs() }
}

/** The value that this percentage of all values does not exceed. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('10 clients over 3 processes: 100 messages are sent, acked, shown to every member, and recorded', async () => {
  await open()
  expect(crowd.fleet.perAgent).toEqual([4, 3, 3])
  expect(server.io.sockets.sockets.size).toBe(10)
  crowd.load({ ratePerSec: 50, durationMs: 2_000 })
  await crowd.has('due', 100)
  expect(await crowd.fleet.settle(60_000)).toEqual({ settled: true, outstanding: 0, joined: 10 })
  const records = await crowd.fleet.records()
  const { parts } = records
  expect(audit(records, 'bench')).toMatchObject({
    ok: true,
    sent: 100,
    acked: 100,
    expected: 500,
    delivered: 500,
  })
  for (const counter of ['due', 'sent', 'acked'] as const) expect(crowd.sum(counter)).toBe(100)
  expect(crowd.sum('delivered')).toBe(500)
  expect(crowd.sum('unanswered')).toBe(0)
  expect(crowd.refused()).toEqual({})
  expect(server.published).toBe(100)
  expect(crowd.latency('delivery').totalCount).toBe(500)
  expect(crowd.latency('ack').totalCount).toBe(100)
  expect(crowd.latency('connect').totalCount).toBe(10)

  const sends = parts.flatMap((part) =>
    [...part.sends.keys].map((key, row) => ({
      key,
      room: part.sends.rooms[row],
      ackedAt: part.sends.ackedAt[row],
    })),
  )
  expect(sends).toHaveLength(100)
  expect(sends.every(({ ackedAt = Number.NaN }) => ackedAt > 0)).toBe(true)
  const members = parts.flatMap((part) => part.members)
  expect(members.map(({ client }) => client).toSorted((a, b) => a - b)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ])
  for (const { room, keys, foreignIds, absences } of members) {
    const said = sends.filter((send) => send.room === room).map(({ key }) => key)
    expect([...keys].toSorted((a, b) => a - b)).toEqual(said.toSorted((a, b) => a - b))
    expect({ foreignIds, absences }).toEqual({ foreignIds: [], absences: [] })
  }
  // Each client sends its exact share.
  for (const { index } of crowd.plans)
    expect(sends.filter(({ key }) => senderOf(key) === index)).toHaveLength(10)
})

test('the stock client sends and receives the same', async () => {
  await open({ kind: 'stock' })
  crowd.load({ ratePerSec: 50 })
  await crowd.has('due', 50)
  expect(await crowd.fleet.settle(60_000)).toEqual({ settled: true, outstanding: 0, joined: 10 })
  await crowd.fleet.records()
  expect(crowd.sum('acked')).toBe(50)
  expect(crowd.sum('delivered')).toBe(250)
})

test('a delay of the server shows in every latency', async () => {
  await open({ rooms: 10 })
  crowd.load({})
  await crowd.has('delivered', 100)
  const undelayed = crowd.latency('delivery').getValueAtPercentile(50)
  crowd.seconds.length = 0
  server.keptMs.length = 0
  server.delayMs = 50
  crowd.load({})
  await crowd.has('delivered', 100)
  const kept = Math.min(...server.keptMs)
  expect(kept).toBeGreaterThan(45)
  for (const name of ['delivery', 'ack'] as const) {
    const latency = crowd.latency(name)
    // Values keep three digits.
    expect(latency.minNonZeroValue).toBeGreaterThan(kept * 1_000 * 0.998)
    expect(latency.getValueAtPercentile(50)).toBeGreaterThan(undelayed)
  }
})

test('a stall of the server delays all messages scheduled meanwhile, as computed', async () => {
  await open({ rooms: 10 })
  const at = crowd.load({ ratePerSec: 100, durationMs: 6_000 })
  await until(() => server.published >= 200, '200 messages are published')
  const { to } = stall(2_000)
  await crowd.has('delivered', 600)
  await crowd.fleet.records()
  expect(crowd.sum('due')).toBe(600)
  // A message scheduled at `due` during the stall is shown after it.
  const due = Array.from({ length: 600 }, (_, number) => at + number * 10)
  const least = due.map((dueAt) => Math.max(0, dueAt > to ? 0 : dueAt > to - 2_000 ? to - dueAt : 0))
  const latency = crowd.latency('delivery')
  expect(latency.totalCount).toBe(600)
  for (const percent of [70, 75, 80, 90, 95, 99, 99.9]) {
    const measured = latency.getValueAtPercentile(percent) / 1_000
    expect(measured).toBeGreaterThan(percentile(least, percent) * 0.998)
    // The latency is not less than the server's own measurement.
    expect(measured).toBeGreaterThan(percentile(server.passedOnMs, percent) * 0.998)
  }
  // Computed: a third was scheduled in the stall, so the 75th percentile is 500 ms, the 90th 1.4 s, the 99th
  // 1.94 s.
  expect(percentile(least, 75)).toBeGreaterThan(490)
  expect(percentile(least, 90)).toBeGreaterThan(1_390)
  expect(percentile(least, 99)).toBeGreaterThan(1_930)
  // Most messages were not scheduled in the stall.
  expect(latency.getValueAtPercentile(50)).toBeLessThan(latency.getValueAtPercentile(90))
})

test('messages scheduled while a client process is paused are sent late, and their latency shows it', async () => {
  await open({ rooms: 10, agents: 1 })
  const at = crowd.load({ ratePerSec: 100, durationMs: 3_000 })
  await until(() => server.published >= 50, '50 messages are published')
  const [pid = 0] = crowd.fleet.pids
  process.kill(pid, 'SIGSTOP')
  const { to } = stall(1_000)
  process.kill(pid, 'SIGCONT')
  await crowd.has('delivered', 300)
  const dueInStall = Array.from({ length: 300 }, (_, number) => at + number * 10).filter(
    (dueAt) => dueAt > to - 950 && dueAt < to - 100,
  )
  expect(crowd.sum('due')).toBe(300)
  const late = Math.max(...crowd.seconds.map(({ lateMs }) => lateMs))
  expect(late).toBeGreaterThan(to - Math.min(...dueInStall) - 1)
  const latency = crowd.latency('delivery')
  expect(latency.maxValue / 1_000).toBeGreaterThan((to - Math.min(...dueInStall)) * 0.998)
})

test('clients that are cut off or disconnect come back, and their absence is recorded', async () => {
  await open()
  const now = nowMs()
  crowd.fleet.cut({ clients: [0, 1, 5], at: [now, now + 20, now + 40] }, 300)
  crowd.fleet.leave({ clients: [2, 9], at: [now, now] })
  await until(() => crowd.latency('back').totalCount === 5, 'five clients reconnected')
  expect(await crowd.fleet.untilJoined(60_000)).toBe(10)
  const { parts } = await crowd.fleet.records()
  const members = parts.flatMap((part) => part.members)
  const away = members.filter(({ absences }) => absences.length > 0)
  expect(away.map(({ client }) => client).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 5, 9])
  for (const { client, absences } of away) {
    const [[from, to] = [Number.NaN, Number.NaN]] = absences
    expect(absences).toHaveLength(1)
    expect(from).toBeGreaterThanOrEqual(now)
    expect(to - from).toBeGreaterThan(client === 2 || client === 9 ? 0 : 299)
  }
  // The server caused none of the disconnects.
  expect(crowd.sum('disconnects')).toBe(0)
})

test('messages scheduled while the sender is away are refused as offline, and disconnects are counted', async () => {
  await open()
  server.io.disconnectSockets(true)
  crowd.load({ ratePerSec: 200, durationMs: 200 })
  await crowd.has('disconnects', 10)
  await crowd.has('due', 40)
  expect(crowd.sum('sent') + (crowd.refused().offline ?? 0)).toBe(40)
  expect(crowd.refused().offline).toBeGreaterThan(0)
})

test('a message without an answer is reported as such', async () => {
  await open()
  server.delayMs = 600_000
  crowd.load({ ratePerSec: 100, durationMs: 200 })
  await crowd.has('sent', 20)
  const settled = await crowd.fleet.settle(0)
  expect(settled).toEqual({ settled: false, outstanding: 20, joined: 10 })
  const { parts } = await crowd.fleet.records()
  expect(crowd.sum('unanswered')).toBe(20)
  expect(parts.flatMap(({ sends }) => [...sends.ackedAt]).every((at) => Number.isNaN(at))).toBe(true)
})

test('full delivery records are reported, and deliveries are still counted', async () => {
  await open({ recordLimit: 30 })
  crowd.load({ ratePerSec: 100 })
  await crowd.has('delivered', 500)
  const { parts } = await crowd.fleet.records()
  expect(parts.some(({ overflowed }) => overflowed)).toBe(true)
  const written = parts.flatMap(({ members }) => members).reduce((sum, { keys }) => sum + keys.length, 0)
  expect(written).toBe(90)
})

test('a client process that crashes fails the run by its name, and the others exit', async () => {
  await open()
  const { pids } = crowd.fleet
  const [first = 0] = pids
  process.kill(first, 'SIGKILL')
  const reason = `client process 0 (${first}): exited with SIGKILL`
  await expect(crowd.fleet.failed).rejects.toThrow(reason)
  await expect(crowd.fleet.settle(60_000)).rejects.toThrow(reason)
  await expect(crowd.fleet.records()).rejects.toThrow(reason)
  await crowd.close()
  await until(() => !pids.some(isRunning), 'no process is left')
})

test('client processes exit with their coordinator', async () => {
  await open({ count: 1 })
  const program = `
    const { openFleet } = await import(${JSON.stringify(FLEET)})
    const client = { index: 0, url: ${JSON.stringify(server.url)}, transport: 'websocket', rooms: [], connectAtMs: 0, reads: 'all', sends: true }
    const clients = [client, { ...client, index: 1 }]
    const options = { agents: 2, seed: 1, run: 'test1', dialect: 'bench', kind: 'raw', clients, recordLimit: 10 }
    const fleet = await openFleet({ ...options, onSecond: () => undefined })
    fleet.connect(0)
    await fleet.untilJoined(60_000)
    process.send(fleet.pids)`
  const coordinator = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const pids = await new Promise<number[]>((resolve) => {
    coordinator.once('message', (message) => resolve(message as number[]))
  })
  expect(pids).toHaveLength(2)
  expect(pids.every(isRunning)).toBe(true)
  coordinator.kill('SIGKILL')
  await until(() => !pids.some(isRunning), 'no client process is left')
  await until(() => server.io.sockets.sockets.size === 1, 'their connections are closed')
})

test('a load without a sender is an error, and so are clients in the wrong place', async () => {
  await open({ wanted: { sends: false } })
  expect(() => crowd.load({})).toThrow('no client that sends')
  const shifted = new FleetUnderTest({ url: server.url, count: 2, rooms: 1, wanted: { index: 1 } })
  await expect(shifted.open()).rejects.toThrow('is not its position')
})
