/** The reported health of a store that accepts some writes and refuses others. */
import { ReplyError } from 'ioredis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LogHealth } from '../../src/log/redis/log-health.ts'
import { RookeryError } from '../../src/wire/errors.ts'

const FULL = "OOM command not allowed when used memory > 'maxmemory'."
const reply: unknown = Object.setPrototypeOf(new Error(FULL), ReplyError.prototype)
const refusal = () => new RookeryError('unavailable', 'not now', { cause: reply })

let told: (string | null)[]
let probes: number
let health: LogHealth

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  told = []
  probes = 0
  health = new LogHealth(
    async () => (probes += 1),
    (reason) => told.push(reason),
  )
  health.setConnection(null)
  told = []
})
afterEach(() => {
  health.close()
  vi.useRealTimers()
})

const oks = () => told.filter((reason) => reason === null).length

test('a store that refuses every third append is reported as failing once, until it recovers', async () => {
  for (let append = 0; append < 3_000; append += 1) {
    if (append % 3 === 0) health.noteFailed(refusal())
    else health.noteWritten()
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(told).toEqual([`Redis takes no writes: ${FULL}`])
})

test('it counts as working when nothing was refused for a while, also without appends', async () => {
  health.noteFailed(refusal())
  await vi.advanceTimersByTimeAsync(1_500)
  expect(oks()).toBe(0)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(oks()).toBe(1)
  expect(probes).toBeGreaterThan(0)
})

test('a store that fails again soon must work longer each time before it counts as working, up to half a minute', async () => {
  for (let round = 0; round < 600; round += 1) {
    health.noteFailed(refusal())
    // Longer than the first interval, and shorter than the longest.
    await vi.advanceTimersByTimeAsync(10_000)
    health.noteWritten()
  }
  // Intervals of 2, 4 and 8 seconds end in time; one of 16 never does.
  expect(oks()).toBe(3)
})
