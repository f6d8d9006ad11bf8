import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, test } from 'vitest'
import { Counters } from '../../loadtest/agent/record/counters.ts'
import { Latencies } from '../../loadtest/agent/record/latencies.ts'
import { Recorder } from '../../loadtest/agent/record/recorder.ts'
import { Scheduler } from '../../loadtest/agent/scheduler.ts'
import { AgentRecords } from '../../loadtest/model/agent-protocol.ts'
import { idOf, keyOf } from '../../loadtest/model/delivery-records.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { until } from '../harness/until.ts'

function agendaOf(times: readonly number[], clock = nowMs) {
  const done: number[] = []
  const scheduler = new Scheduler({
    items: times.values(),
    at: (time) => time,
    act: (time, at) => {
      expect(at).toBeGreaterThanOrEqual(time)
      done.push(time)
    },
    clock,
  })
  return { scheduler, done }
}

describe('the scheduler', () => {
  test('runs each task at its time, in order', async () => {
    const from = nowMs()
    const times = Array.from({ length: 50 }, (_, number) => from + number * 2)
    const { scheduler, done } = agendaOf(times)
    expect(done.length).toBeLessThan(50)
    await until(() => scheduler.done, 'all tasks have run')
    expect(done).toEqual(times)
  })

  test('runs overdue tasks at once, and yields to others in between', async () => {
    const times = Array.from({ length: 1_000 }, (_, number) => number)
    const { done } = agendaOf(times, () => 1_000)
    expect(done).toHaveLength(200)
    await until(() => done.length === 1_000, 'all tasks have run')
    expect(done).toEqual(times)
  })

  test('runs nothing once it is stopped', async () => {
    const { scheduler, done } = agendaOf(
      Array.from({ length: 1_000 }, (_, number) => number),
      () => 1_000,
    )
    scheduler.stop()
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    expect(done).toHaveLength(200)
  })
})

test('finish() runs everything that is due by now, and nothing after it', () => {
  let now = 0
  const { scheduler, done } = agendaOf(
    Array.from({ length: 1_000 }, (_, number) => number),
    () => now,
  )
  now = 700
  scheduler.finish()
  expect(done).toEqual(Array.from({ length: 701 }, (_, number) => number))
  expect(scheduler.done).toBe(true)
})

describe('latencies', () => {
  test('are kept in microseconds to three digits, and start over with each report', () => {
    const latencies = new Latencies()
    for (let ms = 1; ms <= 1_000; ms += 1) latencies.record(ms)
    latencies.record(Number.NaN)
    const histogram = decodeFromCompressedBase64(latencies.take())
    expect(histogram.totalCount).toBe(1_000)
    for (const percent of [50, 90, 99, 100])
      expect(Math.abs(histogram.getValueAtPercentile(percent) / (percent * 10_000) - 1)).toBeLessThan(0.001)
    expect(decodeFromCompressedBase64(latencies.take()).totalCount).toBe(0)
    latencies.record(0)
    latencies.record(10_000_000)
    const bounds = decodeFromCompressedBase64(latencies.take())
    expect(bounds.totalCount).toBe(2)
    expect(bounds.minNonZeroValue).toBe(1)
    expect(Math.abs(bounds.maxValue / 600_000_000 - 1)).toBeLessThan(0.001)
  })
})

describe('the counters', () => {
  test('report the changes since the last report, and the current state', () => {
    const counters = new Counters()
    counters.connected = 2
    counters.joined = 1
    counters.due(3)
    counters.due(1)
    counters.sent()
    counters.refused('unavailable')
    counters.refused('unavailable')
    counters.acked(5)
    counters.unanswered()
    counters.delivered(5)
    counters.disconnected()
    counters.connectFailed('timeout')
    expect(counters.take()).toMatchObject({
      due: 2,
      sent: 1,
      acked: 1,
      refused: { unavailable: 2 },
      unanswered: 1,
      delivered: 1,
      disconnects: 1,
      connectErrors: { timeout: 1 },
      lateMs: 3,
      connected: 2,
      joined: 1,
    })
    expect(counters.take()).toMatchObject({
      due: 0,
      refused: {},
      connectErrors: {},
      lateMs: 0,
      connected: 2,
      joined: 1,
    })
  })
})

describe('the recorder', () => {
  const RUN = 'abcd'
  const id = (sender: number, number: number) => idOf(RUN, keyOf(sender, number))

  test('holds every send with its result', () => {
    const recorder = new Recorder({ run: RUN, limit: 10 })
    const keys = [3, 3, 4].map((client) => recorder.nextKey(client))
    expect(keys).toEqual([keyOf(3, 0), keyOf(3, 1), keyOf(4, 0)])
    const rows = keys.map((key, place) => recorder.sent(key, `room-${place}`, 100 + place))
    recorder.acked(rows[0] ?? -1, 200, 7)
    recorder.refused(rows[1] ?? -1)
    recorder.close()
    recorder.acked(rows[2] ?? -1, 300)
    recorder.acked(recorder.sent(keyOf(3, 2), 'room-3', 300), 301)
    const [part] = [...recorder.parts()]
    expect(part?.sends).toEqual({
      keys: Float64Array.from(keys),
      rooms: ['room-0', 'room-1', 'room-2'],
      sentAt: Float64Array.from([100, 101, 102]),
      ackedAt: Float64Array.from([200, Number.NaN, Number.NaN]),
      seqs: Float64Array.from([7, Number.NaN, Number.NaN]),
      refused: Uint8Array.from([0, 1, 0]),
    })
    expect(AgentRecords.safeParse(part).success).toBe(true)
  })

  test('holds what each client received, in order, and foreign ids separately', () => {
    const recorder = new Recorder({ run: RUN, limit: 100 })
    const absences: [number, number][] = [[5, Number.NaN]]
    const member = recorder.open({ client: 1, room: 'a', absences })
    member.joined(50)
    member.joined(60)
    for (const number of [2, 1, 1]) member.show(id(9, number), 70)
    for (let number = 0; number < 25; number += 1) member.show(`other-9-${number}`, 71)
    recorder.open({ client: 2, room: 'a', absences: [] })
    const log = recorder.open({ client: 3, room: 'a', absences: [], head: 4, epoch: 'e' })
    log.joined(55)
    log.show(id(9, 1), 72, 5)
    log.left(80)
    expect(recorder.lastDeliveryAt).toBe(72)
    const [part] = [...recorder.parts()]
    expect(AgentRecords.safeParse(part).error).toBeUndefined()
    // A client that never joined is not a member.
    expect(part?.members.map(({ client }) => client)).toEqual([1, 3])
    expect(part?.members[0]).toMatchObject({
      joinedAt: 50,
      leftAt: Number.NaN,
      head: Number.NaN,
      keys: Float64Array.from([keyOf(9, 2), keyOf(9, 1), keyOf(9, 1)]),
      foreignCount: 25,
      absences: [[5, Number.NaN]],
    })
    expect(part?.members[0]?.foreignIds).toHaveLength(20)
    expect(part?.members[1]).toMatchObject({ leftAt: 80, head: 4, epoch: 'e', seqs: Float64Array.from([5]) })
  })

  test('records no more than its limit, and reports the overflow', () => {
    const recorder = new Recorder({ run: RUN, limit: 3 })
    const member = recorder.open({ client: 1, room: 'a', absences: [] })
    member.joined(1)
    for (let number = 0; number < 5; number += 1) member.show(id(1, number), number)
    const [part] = [...recorder.parts()]
    expect(part?.overflowed).toBe(true)
    expect(part?.members[0]?.keys).toHaveLength(3)
  })

  test('comes in parts, of which the last is marked as the last', () => {
    const recorder = new Recorder({ run: RUN, limit: 10 })
    for (let client = 0; client < 4_500; client += 1)
      recorder.open({ client, room: 'a', absences: [] }).joined(1)
    recorder.sent(recorder.nextKey(1), 'a', 1)
    const parts = [...recorder.parts()]
    expect(parts.map(({ more, members }) => [more, members.length])).toEqual([
      [true, 2_000],
      [true, 2_000],
      [false, 500],
    ])
    expect(parts.flatMap(({ sends }) => [...sends.keys])).toHaveLength(1)
  })
})
