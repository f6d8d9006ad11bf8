import fc from 'fast-check'
import { pino } from 'pino'
import { Counter, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { LogThrottle } from '../../src/core/log-throttle.ts'
import type { RoomLogReader } from '../../src/log/room-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { RoomStream } from '../../src/worker/rooms/room-stream.ts'
import { until } from '../harness/until.ts'

function entry(seq: number): LogEntry {
  return { room: 'r', seq, id: `m${seq}`, kind: 'text', from: { id: 'a', name: 'A' }, text: '…', at: seq }
}

/** A log that holds 1…head, and keeps entries from `first` on. */
class Log {
  epoch = 'e'
  head = 0
  first = 1
  failures = 0

  readonly reader: RoomLogReader = {
    head: async () => {
      this.#mayFail()
      return { epoch: this.epoch, head: this.head, first: this.first }
    },
    read: async (_room, range) => {
      this.#mayFail()
      const after = 'after' in range ? range.after : 0
      const from = Math.max(after + 1, this.first)
      const to = Math.min(this.head, from + range.limit - 1)
      const entries = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => entry(from + index))
      return { epoch: this.epoch, head: this.head, first: this.first, entries, more: to < this.head }
    },
    userRooms: async () => [],
    close: async () => undefined,
  }

  #mayFail(): void {
    if (this.failures === 0) return
    this.failures -= 1
    throw new Error('not readable now')
  }
}

function subscribe(log: Log, throttle = new LogThrottle(0)) {
  const seen: number[] = []
  const resets: [string, number][] = []
  const repairs = new Counter({ name: 'repairs', help: '-', registers: [new Registry()] })
  const listener = {
    entries: (entries: readonly LogEntry[]) => void seen.push(...entries.map(({ seq }) => seq)),
    presence: () => undefined,
    reset: (epoch: string, head: number) => void resets.push([epoch, head]),
  }
  const lines: { heldBack: number }[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const stream = new RoomStream({ room: 'r', listener, reader: log.reader, logger, throttle, repairs })
  return { stream, seen, resets, lines }
}

const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('delivery is dense, in order and without duplicates, for any drops by the relay', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 5 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      async (before, brought, endsBehind) => {
        const log = new Log()
        log.head = before
        const { stream, seen } = subscribe(log)
        const starting = stream.start()
        for (const arrives of brought) {
          log.head += 1
          if (arrives) stream.push(entry(log.head))
        }
        await starting
        if (endsBehind) stream.catchUp()
        else {
          log.head += 1
          stream.push(entry(log.head))
        }
        await until(() => seen.at(-1) === log.head, 'the newest entry is delivered')
        expect(seen).toEqual(upTo(seen[0] ?? 0, log.head))
        // The start is the head at some time between the subscription and the first delivered entry.
        expect(seen[0]).toBeGreaterThan(before)
      },
    ),
  )
})

/** A log whose answers are delayed until `letGo`; they show the log at the time of the request. */
class SlowLog extends Log {
  #letGo: (() => void)[] = []
  isSlow = false

  constructor() {
    super()
    const head = this.reader.head.bind(this.reader)
    this.reader.head = async (room) => {
      const answer = await head(room)
      if (this.isSlow) await new Promise<void>((resolve) => this.#letGo.push(resolve))
      return answer
    }
  }

  get asked(): number {
    return this.#letGo.length
  }

  letGo(): void {
    this.isSlow = false
    for (const go of this.#letGo.splice(0)) go()
  }
}

test('entries that the relay reports as dropped while the log is read are delivered as well', async () => {
  const log = new SlowLog()
  log.head = 10
  const { stream, seen } = subscribe(log)
  await stream.start()
  log.isSlow = true
  stream.catchUp()
  await until(() => log.asked === 1, 'the log is being read')
  log.head = 12
  stream.catchUp()
  log.letGo()
  await until(() => seen.at(-1) === 12, 'the newest entry is delivered')
  expect(seen).toEqual([11, 12])
})

test('another log that appears while the previous one answers is detected', async () => {
  const log = new SlowLog()
  log.head = 100
  const { stream, seen, resets } = subscribe(log)
  await stream.start()
  log.isSlow = true
  stream.catchUp()
  await until(() => log.asked === 1, 'the log is being read')
  log.epoch = 'another'
  log.head = 3
  stream.catchUp()
  log.letGo()
  await until(() => resets.length > 0, 'the reset is reported')
  log.head = 4
  stream.push(entry(4))
  expect(resets).toEqual([['another', 3]])
  expect(seen).toEqual([4])
})

test('a log that cannot be read for a while delays a repair, and loses nothing', async () => {
  const log = new Log()
  const { stream, seen } = subscribe(log)
  await stream.start()
  log.failures = 2
  log.head = 5
  stream.push(entry(5))
  await until(() => seen.length === 5, 'all five are delivered')
  expect(seen).toEqual([1, 2, 3, 4, 5])
})

test('the last entries that the relay dropped are delivered when it reports them, also after failed reads of the log', async () => {
  const log = new Log()
  const { stream, seen } = subscribe(log)
  await stream.start()
  log.head = 450
  log.failures = 2
  stream.catchUp()
  stream.catchUp()
  await until(() => seen.length === 450, 'all are delivered')
  expect(seen).toEqual(upTo(1, 450))
  stream.catchUp()
  stream.push(entry(451))
  log.head = 451
  await until(() => seen.length === 451, 'delivery continues')
})

test('entries dropped while the start was looked up are delivered too', async () => {
  const log = new Log()
  const { stream, seen } = subscribe(log)
  const starting = stream.start()
  log.head = 3
  stream.catchUp()
  await starting
  await until(() => seen.at(-1) === 3, 'the newest entry is delivered')
})

test('rooms that cannot be read share one log line, and suppressed lines are counted', async () => {
  const log = new Log()
  let nowMs = 0
  const throttle = new LogThrottle(1_000, () => nowMs)
  const rooms = [subscribe(log, throttle), subscribe(log, throttle), subscribe(log, throttle)]
  for (const { stream } of rooms) await stream.start()
  log.head = 1
  log.failures = 3
  for (const { stream } of rooms) stream.catchUp()
  await until(() => rooms.every(({ seen }) => seen.length === 1), 'all are delivered')
  const lines = () => rooms.flatMap((room) => room.lines)
  expect(lines().map(({ heldBack }) => heldBack)).toEqual([0])
  nowMs = 1_000
  log.head = 2
  log.failures = 1
  rooms[0]?.stream.catchUp()
  await until(() => lines().length === 2, 'the next line is logged')
  expect(lines().map(({ heldBack }) => heldBack)).toEqual([0, 2])
  for (const { stream } of rooms) stream.close()
})

test('entries that retention has removed before the repair are skipped', async () => {
  const log = new Log()
  const { stream, seen } = subscribe(log)
  await stream.start()
  log.head = 9
  log.first = 8
  stream.push(entry(9))
  await until(() => seen.length === 2, 'the kept entries are delivered')
  expect(seen).toEqual([8, 9])
})

test('a closed stream delivers nothing more', async () => {
  const log = new Log()
  const { stream, seen } = subscribe(log)
  await stream.start()
  stream.close()
  log.head = 1
  stream.push(entry(1))
  expect(seen).toEqual([])
})

/** A stream whose log is replaced after its start: the heads of the logs are `before` and `after`. */
async function streamOfReplacedLog({ before, after }: { before: number; after: number }) {
  const log = new Log()
  log.head = before
  const subscription = subscribe(log)
  await subscription.stream.start()
  log.epoch = 'e2'
  log.head = after
  return { log, ...subscription }
}

test('another log is reported, and delivery continues after its head', async () => {
  const { log, stream, seen, resets } = await streamOfReplacedLog({ before: 9, after: 2 })
  stream.catchUp()
  await until(() => resets.length === 1, 'the other log is detected')
  log.head = 3
  stream.push(entry(3))
  await until(() => seen.length === 1, 'delivery continues')
  expect([resets, seen]).toEqual([[['e2', 2]], [3]])
})

test('another log is detected by a gap that it has no entries for, and reported once', async () => {
  const { log, stream, seen, resets } = await streamOfReplacedLog({ before: 2, after: 6 })
  stream.push(entry(6))
  await until(() => resets.length === 1, 'the other log is detected')
  stream.catchUp()
  log.head = 7
  stream.push(entry(7))
  await until(() => seen.length === 1, 'delivery continues')
  expect([resets, seen]).toEqual([[['e2', 6]], [7]])
})

test('entries of a new log that arrive while it is detected are not lost', async () => {
  const { log, stream, seen, resets } = await streamOfReplacedLog({ before: 9, after: 2 })
  stream.catchUp()
  stream.push(entry(3))
  stream.push(entry(4))
  await until(() => resets.length === 1, 'the other log is detected')
  log.head = 4
  stream.catchUp()
  await until(() => seen.at(-1) === 4, 'the entry is delivered')
  expect([resets, seen]).toEqual([[['e2', 2]], [3, 4]])
})
