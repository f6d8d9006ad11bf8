/** A clock that jumps: what is made of its readings, what the log says, and what follows it anyway. */
import * as fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  CLOCK_ACCEPTED_MS,
  CLOCK_DOUBTED_MS,
  CLOCK_STEP_MS,
  type ClockEvent,
  ClockFilter,
  timeAfter,
} from '../../src/core/clock-filter.ts'
import { reportClock } from '../../src/core/clock-report.ts'
import { HostClock } from '../../src/core/host-clock.ts'
import { memoryRateLimiter } from '../../src/core/rate-limiter.ts'
import { ServerClock } from '../../src/redis/server-clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TWO_YEARS_MS = 730 * DAY_MS
const ZERO_MS = Date.UTC(2030)

/** A machine that started at `ZERO_MS`, and its clock, which is `wrongMs` ahead. */
class Machine {
  upMs = 5 * HOUR_MS
  sleptMs = 0
  wrongMs = 0
  readonly readings = {
    wall: () => this.rightMs + this.wrongMs,
    passed: () => this.upMs - this.sleptMs,
    uptime: () => Math.floor(this.upMs / 10) * 10,
  }

  get rightMs(): number {
    return ZERO_MS + this.upMs
  }
}

let machine: Machine
let events: ClockEvent[]
const clocks: HostClock[] = []
beforeEach(() => {
  machine = new Machine()
  events = []
})
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.close()
  vi.useRealTimers()
})

function hostClock(): HostClock {
  const clock = new HostClock({ readings: machine.readings, onEvent: (event) => events.push(event) })
  clocks.push(clock)
  return clock
}

describe('the clock of a host', () => {
  it('goes on as before while the clock is two years ahead for two minutes', () => {
    const clock = hostClock()
    machine.upMs += HOUR_MS
    expect(clock.now()).toBe(machine.rightMs)
    expect(clock.canJudgeAges()).toBe(true)
    machine.wrongMs = TWO_YEARS_MS
    for (let seconds = 0; seconds < 120; seconds += 1) {
      machine.upMs += 1_000
      expect(Math.abs(clock.now() - machine.rightMs)).toBeLessThanOrEqual(10)
      expect(clock.canJudgeAges()).toBe(false)
    }
    machine.wrongMs = 0
    machine.upMs += 1_000
    expect(clock.now()).toBe(machine.rightMs)
    expect(events.map(({ type }) => type)).toEqual(['jumped', 'returned'])
    machine.upMs += CLOCK_DOUBTED_MS - 10_000
    expect(clock.canJudgeAges()).toBe(false)
    machine.upMs += 10_000
    expect(clock.canJudgeAges()).toBe(true)
  })

  it('accepts a time that lasts, and judges no age for a day after that', () => {
    const clock = hostClock()
    machine.upMs += HOUR_MS
    machine.wrongMs = -3 * HOUR_MS
    clock.now()
    machine.upMs += CLOCK_ACCEPTED_MS - 1_000
    expect(Math.abs(clock.now() - machine.rightMs)).toBeLessThanOrEqual(10)
    machine.upMs += 2_000
    expect(clock.now()).toBe(machine.readings.wall())
    expect(events).toMatchObject([{ type: 'jumped' }, { type: 'accepted', isNew: false }])
    machine.upMs += CLOCK_DOUBTED_MS - 1_000
    expect(clock.canJudgeAges()).toBe(false)
    machine.upMs += 1_000
    expect(clock.canJudgeAges()).toBe(true)
  })

  it('judges no age until it has been even for a while after the start', () => {
    const clock = hostClock()
    expect(clock.canJudgeAges()).toBe(false)
    machine.upMs += CLOCK_ACCEPTED_MS
    expect(clock.canJudgeAges()).toBe(true)
  })

  it('follows at once soon after the start of the machine, when the time comes from the network', () => {
    machine.upMs = 30_000
    machine.wrongMs = -30 * 365 * DAY_MS
    const clock = hostClock()
    expect(clock.now()).toBe(machine.readings.wall())
    machine.upMs += 20_000
    machine.wrongMs = 0
    expect(clock.now()).toBe(machine.rightMs)
    expect(events).toMatchObject([{ type: 'accepted', isNew: true }])
    expect(clock.canJudgeAges()).toBe(false)
  })

  it('does not take a sleep of the machine for a jump', () => {
    const clock = hostClock()
    machine.upMs += 20 * HOUR_MS
    machine.sleptMs += 20 * HOUR_MS
    expect(clock.now()).toBe(machine.rightMs)
    expect(events).toEqual([])
  })

  it('does not take a process that stood still between two readings for a jump', () => {
    let stops = 1
    const readings = {
      ...machine.readings,
      wall: () => {
        if (stops-- === 0) machine.upMs += HOUR_MS
        return machine.readings.wall()
      },
    }
    const clock = new HostClock({ readings, onEvent: (event) => events.push(event) })
    clocks.push(clock)
    for (let calls = 0; calls < 5; calls += 1) {
      stops = calls
      expect(clock.now()).toBe(machine.rightMs)
    }
    expect(events).toEqual([])
  })

  it('is known to a process that starts during a jump', () => {
    const clock = hostClock()
    machine.upMs += HOUR_MS
    machine.wrongMs = TWO_YEARS_MS
    clock.now()
    const later = new HostClock({ readings: machine.readings, state: clock.state })
    clocks.push(later)
    expect(Math.abs(later.now() - machine.rightMs)).toBeLessThanOrEqual(10)
    expect(later.canJudgeAges()).toBe(false)
  })
})

describe('the filter', () => {
  const step = fc.record({
    passMs: fc.integer({ min: 0, max: 2 * CLOCK_ACCEPTED_MS }),
    wrongMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -CLOCK_STEP_MS / 2, max: CLOCK_STEP_MS / 2 }),
      fc.integer({ min: -TWO_YEARS_MS, max: TWO_YEARS_MS }),
    ),
  })

  it('is never further from the clock than a small step, unless that has jumped since the last ten minutes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const filter = new ClockFilter()
        let steadyMs = CLOCK_ACCEPTED_MS
        const seen = [{ steadyMs, zeroMs: ZERO_MS }]
        filter.observe({ clockMs: ZERO_MS + steadyMs, steadyMs })
        for (const { passMs, wrongMs } of steps) {
          steadyMs += passMs
          const zeroMs = ZERO_MS + wrongMs
          filter.observe({ clockMs: zeroMs + steadyMs, steadyMs })
          seen.push({ steadyMs, zeroMs })
          const estimated = filter.timeAt(steadyMs) - steadyMs
          // Only a time that the clock has shown is ever estimated.
          expect(seen.some((each) => Math.abs(each.zeroMs - estimated) <= 1)).toBe(true)
          const recent = seen.filter((each) => each.steadyMs >= steadyMs - CLOCK_ACCEPTED_MS)
          const before = seen[seen.length - recent.length - 1]
          const isEven = [before ?? seen[0], ...recent].every(
            (each) => each !== undefined && Math.abs(each.zeroMs - zeroMs) <= CLOCK_STEP_MS / 2,
          )
          if (isEven) expect(Math.abs(estimated - zeroMs)).toBeLessThanOrEqual(CLOCK_STEP_MS)
        }
      }),
    )
  })

  it('never judges ages within a day of a jump', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const filter = new ClockFilter()
        let steadyMs = CLOCK_ACCEPTED_MS
        let jumpedMs = Number.NEGATIVE_INFINITY
        for (const { passMs, wrongMs } of steps) {
          steadyMs += passMs
          const event = filter.observe({ clockMs: ZERO_MS + wrongMs + steadyMs, steadyMs })
          if (event !== undefined && event.type !== 'returned') jumpedMs = steadyMs
          if (steadyMs - jumpedMs < CLOCK_DOUBTED_MS) expect(filter.canJudgeAges(steadyMs)).toBe(false)
        }
      }),
    )
  })

  it('gives entries times that go back only where a clock was put right', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10 * CLOCK_STEP_MS)), (times) => {
        let at = 0
        for (const time of times) {
          const next = timeAfter(at, time)
          expect(next >= at || at - time > CLOCK_STEP_MS).toBe(true)
          expect(next - time).toBeLessThanOrEqual(CLOCK_STEP_MS)
          expect(next).toBeGreaterThanOrEqual(time)
          at = next
        }
      }),
    )
  })
})

async function pass(clock: ServerClock, ms: number): Promise<void> {
  machine.upMs += ms
  await clock.poll()
}

const isRight = (clock: ServerClock) => Math.abs((clock.now() ?? 0) - machine.rightMs) <= 20

describe('the clock of Redis', () => {
  /** How far the clocks of the masters are ahead. */
  let ahead: number[]
  let hostAheadMs: number
  let warnings: string[]
  let tookMs: number
  beforeEach(() => {
    ahead = [0]
    hostAheadMs = 0
    warnings = []
    tookMs = 0
  })

  function serverClock(): ServerClock {
    const logger = pino({}, { write: (line: string) => void warnings.push(JSON.parse(line).msg) })
    return new ServerClock({
      ask: async () => {
        const times = ahead.map((aheadMs) => machine.rightMs + aheadMs)
        machine.upMs += tookMs
        return times.map((ms) => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000])
      },
      hostNow: () => machine.rightMs + hostAheadMs,
      logger,
      onEvent: (event) => events.push(event),
      readings: machine.readings,
    })
  }

  it('is unknown at first, and goes on as before while it has jumped', async () => {
    const clock = serverClock()
    expect(clock.now()).toBeUndefined()
    expect(clock.canJudgeAges()).toBe(false)
    await clock.poll()
    await pass(clock, HOUR_MS)
    expect(clock.canJudgeAges()).toBe(true)
    ahead = [TWO_YEARS_MS]
    for (let seconds = 0; seconds < 120; seconds += 1) {
      await pass(clock, 1_000)
      expect(isRight(clock)).toBe(true)
      expect(clock.canJudgeAges()).toBe(false)
    }
    ahead = [0]
    await pass(clock, 1_000)
    expect(isRight(clock)).toBe(true)
    expect(events.map(({ type }) => type)).toEqual(['jumped', 'returned'])
    expect(warnings).toEqual([])
  })

  it('is accepted at once when it agrees with that of the host', async () => {
    ahead = [TWO_YEARS_MS]
    const clock = serverClock()
    await clock.poll()
    ahead = [0]
    await pass(clock, 1_000)
    expect(isRight(clock)).toBe(true)
    expect(events).toMatchObject([{ type: 'accepted', isNew: true }])
  })

  it('is that of most masters', async () => {
    ahead = [0, 5, HOUR_MS]
    const clock = serverClock()
    await clock.poll()
    expect(isRight(clock)).toBe(true)
    ahead = [HOUR_MS, 0, 5]
    await pass(clock, 1_000)
    ahead = []
    await pass(clock, 1_000)
    expect(isRight(clock)).toBe(true)
    expect(events).toEqual([])
  })

  it('is not taken from an answer that came late', async () => {
    const clock = serverClock()
    await clock.poll()
    tookMs = HOUR_MS
    await clock.poll()
    expect(isRight(clock)).toBe(true)
    expect(events).toEqual([])
  })

  it('is compared with that of the host: a difference is said once', async () => {
    hostAheadMs = HOUR_MS
    const clock = serverClock()
    await clock.poll()
    await pass(clock, 1_000)
    expect(warnings).toEqual([
      expect.stringContaining(
        'the clock of this host and that of Redis differ: messages get the time of Redis',
      ),
    ])
    hostAheadMs = 0
    await pass(clock, 1_000)
    hostAheadMs = -HOUR_MS
    await pass(clock, 1_000)
    expect(warnings).toHaveLength(2)
  })
})

it('the log says how far a clock has jumped, and what is done about it', () => {
  const lines: { msg: string; by?: string }[] = []
  let count = 0
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const report = reportClock({ logger, owner: 'this machine', count: () => (count += 1) })
  report({ type: 'jumped', byMs: TWO_YEARS_MS })
  report({ type: 'returned' })
  expect(lines[0]).toMatchObject({ level: 40, by: '+730.0 days' })
  expect(lines[0]?.msg).toMatch(/^the clock of this machine has jumped: times go on as before.*10 minutes/)
  expect(lines[1]?.msg).toMatch(/^the clock of this machine is back/)
  report({ type: 'accepted', byMs: -90_000, isNew: true })
  report({ type: 'accepted', byMs: -90_000, isNew: false })
  expect(count).toBe(2)
})

it('nobody is sent away for years because the clock was set back', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: ZERO_MS + TWO_YEARS_MS })
  const take = memoryRateLimiter({ points: 1, durationMs: 10_000 })
  expect(await take('ann')).toBe(0)
  vi.setSystemTime(ZERO_MS)
  const waitMs = await take('ann')
  expect(waitMs).toBeGreaterThan(0)
  expect(waitMs).toBeLessThanOrEqual(10_000)
})
