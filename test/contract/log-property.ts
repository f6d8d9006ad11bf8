/** Runs the same random operations on a log and on the model; no answer may differ. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RoomLog } from '../../src/log/room-log.ts'
import type { MessageDraft } from '../../src/wire/entry.ts'
import { RookeryError } from '../../src/wire/errors.ts'
import { LogModel } from './log-model.ts'
import type { OpenLog } from './log-under-test.ts'

const KEEP = 8
const rooms = ['den', 'den.', 'a']
const users = ['ann', 'bob']

const room = fc.constantFrom(...rooms)
const userId = fc.constantFrom(...users)
const from = userId.map((id) => ({ id, name: id }))
const id = fc.integer({ min: 1, max: 12 }).map((n) => `m${n}`)
const target = fc.integer({ min: 0, max: 14 })
const words = fc.constantFrom('one', 'two', '')
/** With keys that a log has of its own. */
const data = fc.constantFrom<unknown>(null, 'one', {
  x: 1,
  kind: 'text',
  text: 'two',
  n: 9,
  from: { id: 'ann' },
})
const kind = fc.constantFrom('stroke', 'texts')

const draft: fc.Arbitrary<MessageDraft> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('text' as const), id, from, text: words }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), id, from, target, text: words }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), id, from, target }) },
  { weight: 2, arbitrary: fc.record({ kind, id, from, data }) },
  { weight: 1, arbitrary: fc.record({ kind, id, from }) },
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), room, draft }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('track' as const), userId, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), userId, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mark' as const), userId, room, seq: target }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

export function describeLogAgainstModel(open: OpenLog, { allInOrder }: { allInOrder: boolean }): void {
  it('answers like the model, one operation after another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const { log, dispose } = await open({ retention: { messages: KEEP, days: 365 } })
        const model = new LogModel(KEEP)
        for (const next of steps) expect(await doOnLog(log, next)).toEqual(doOnModel(model, next))
        await compare(log, model)
        await dispose()
      }),
      { numRuns: 15 },
    )
  })

  const atOnce = allInOrder
    ? 'all requests are sent at once'
    : 'all messages between two other steps are sent at once'
  it(`answers like the model when ${atOnce}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 120 }), async (steps) => {
        const { log, dispose } = await open({ retention: { messages: KEEP, days: 365 } })
        const model = new LogModel(KEEP)
        for (const together of allInOrder ? [steps] : runsOfAppends(steps)) {
          const expected = together.map((next) => doOnModel(model, next))
          expect(await Promise.all(together.map((next) => doOnLog(log, next)))).toEqual(expected)
        }
        await compare(log, model)
        await dispose()
      }),
      { numRuns: 40 },
    )
  })
}

/** Consecutive appends run together, everything else runs alone. */
function runsOfAppends(steps: readonly Step[]): Step[][] {
  const runs: Step[][] = []
  for (const next of steps) {
    const last = runs.at(-1)
    if (next.do === 'append' && last?.[0]?.do === 'append') last.push(next)
    else runs.push([next])
  }
  return runs
}

function doOnModel(model: LogModel, next: Step): unknown {
  if (next.do === 'append') return model.append(next.room, next.draft)
  if (next.do === 'mark') return model.mark(next.userId, next.room, next.seq)
  if (next.do === 'track') model.track(next.userId, next.room)
  else model.forget(next.userId, next.room)
  return { ok: undefined }
}

async function doOnLog(log: RoomLog, next: Step): Promise<unknown> {
  try {
    if (next.do === 'append') {
      const { seq, duplicate } = await log.append(next.room, next.draft)
      return { ok: { seq, duplicate } }
    }
    if (next.do === 'mark') return { ok: await log.markRead(next.userId, next.room, next.seq) }
    if (next.do === 'track') return { ok: await log.trackRoom(next.userId, next.room) }
    return { ok: await log.forgetRoom(next.userId, next.room) }
  } catch (error) {
    if (error instanceof RookeryError) return { refused: error.code }
    throw error
  }
}

async function compare(log: RoomLog, model: LogModel): Promise<void> {
  for (const name of rooms) {
    for (const range of ranges(model.head(name))) {
      const { head, first, entries, more } = await log.read(name, range)
      const page = model.page(name, range)
      expect({ head, first, more }).toEqual({
        head: model.head(name),
        first: model.first(name),
        more: page.more,
      })
      expect(entries.map((entry) => ({ ...entry, at: 0 }))).toEqual(page.entries)
    }
  }
  for (const user of users) expect(await log.userRooms(user)).toEqual(model.userRooms(user))
}

const ranges = (head: number) => [
  { newest: true as const, limit: 3 },
  { newest: true as const, limit: 100 },
  { after: 0, limit: 4 },
  { after: Math.max(0, head - 4), limit: 3 },
  { before: head, limit: 3 },
  { before: Math.max(1, head - 6), limit: 100 },
]
