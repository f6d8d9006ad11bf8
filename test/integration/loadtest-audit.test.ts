/** The auditor on records of a real fleet: of a correct server, and of servers with occasional defects. */
import { afterEach, describe, expect, it } from 'vitest'
import { audit } from '../../loadtest/audit/audit.ts'
import { dueAtFrom } from '../../loadtest/model/delivery-records.ts'
import type { Dialect, Load } from '../../loadtest/model/plan.ts'
import type { Audited } from '../../loadtest/model/result.ts'
import { nowMs } from '../../loadtest/system/clock.ts'
import { type Defect, DefectiveServer } from '../harness/loadtest/defective-server.ts'
import { type FleetAsked, FleetUnderTest } from '../harness/loadtest/fleet.ts'
import { until } from '../harness/until.ts'

/** The test servers delay nothing for longer. */
const SERVER_QUIET_MS = 500

const CLIENTS = 20
const ROOMS = 2
const MEMBERS = CLIENTS / ROOMS
const MESSAGES = 300
const LOAD = { ratePerSec: 200, durationMs: 1_500 }
/** Enough messages that a client that is away for a second misses some and is back before the end. */
const SLOW = { ratePerSec: 100, durationMs: 3_000 }
const defects = { lost: 0, doubled: 0, outOfOrder: 0, phantom: 0 }

let server: DefectiveServer | undefined
let crowd: FleetUnderTest | undefined

afterEach(async () => {
  await crowd?.close()
  await server?.stop()
})

async function open(defect: Defect, asked: Partial<FleetAsked>, load: Partial<Load> = {}) {
  const started = await DefectiveServer.start(defect)
  server = started
  const opened = new FleetUnderTest({ url: started.url, count: CLIENTS, rooms: ROOMS, ...asked })
  crowd = opened
  await opened.open()
  const beginsAt = opened.load({ ...LOAD, ...load })
  return { server: started, crowd: opened, beginsAt }
}

/** All sent messages were acked, and all deliveries arrived. */
async function run(
  defect: Defect,
  asked: Partial<FleetAsked>,
): Promise<{ verdict: Audited; broken: number }> {
  const opened = await open(defect, asked)
  await opened.crowd.has('acked', MESSAGES)
  await opened.crowd.has('delivered', opened.server.shown)
  const verdict = audit(await opened.crowd.fleet.records(), asked.dialect ?? 'bench')
  expect(verdict).toMatchObject({
    sent: MESSAGES,
    acked: MESSAGES,
    refused: 0,
    unanswered: 0,
    shownUnacked: 0,
  })
  expect(verdict).toMatchObject({ expected: MESSAGES * MEMBERS, overflowed: false })
  return { verdict, broken: opened.server.broken }
}

/** Cuts them in the middle of the load; they reconnect before it ends. */
async function cutSome(opened: { server: DefectiveServer; crowd: FleetUnderTest }): Promise<void> {
  await until(() => opened.server.taken.length >= MESSAGES / 3, 'a third of the messages was sent')
  const at = nowMs()
  opened.crowd.fleet.cut({ clients: [3, 8], at: [at, at] }, 1_000)
  await until(() => opened.crowd.latency('back').totalCount >= 2, 'two clients reconnected')
  await opened.crowd.has('due', MESSAGES)
}

const kinds: [Dialect, FleetAsked['kind']][] = [
  ['bench', 'raw'],
  ['bench', 'stock'],
  ['chat', 'raw'],
  ['chat', 'stock'],
]

describe.each(kinds)('in the dialect %s, with %s clients, of a server that', (dialect, kind) => {
  const asked = kind === undefined ? { dialect } : { dialect, kind }

  it('has no defect, nothing is found', async () => {
    const { verdict } = await run('none', asked)
    expect(verdict).toMatchObject({ ok: true, ...defects, delivered: MESSAGES * MEMBERS, examples: [] })
    expect(await crowd?.fleet.settle(60_000, SERVER_QUIET_MS)).toMatchObject({
      settled: true,
      outstanding: 0,
    })
  })

  it('drops one delivery in 1,000, each loss is found', async () => {
    const { verdict, broken } = await run('drops', asked)
    expect(broken).toBe(3)
    expect(verdict).toMatchObject({ ok: false, ...defects, lost: 3, delivered: verdict.expected - 3 })
    expect(verdict.examples).toHaveLength(3)
    for (const line of verdict.examples)
      expect(line).toMatch(/^lost: \d+-\d+ of room-[01] \(sent .* s, acked .* s\) by client \d+$/)
  })
})

describe.each(['bench', 'chat'] as const)('in the dialect %s, of a server that', (dialect) => {
  it('duplicates, each duplicate is found', async () => {
    const { verdict, broken } = await run('doubles', { dialect })
    expect(broken).toBe(3)
    expect(verdict).toMatchObject({ ok: false, ...defects, doubled: 3 })
    expect(verdict.examples[0]).toMatch(/^duplicated: \d+-\d+ of room-[01], at client \d+$/)
  })

  it('swaps two, each pair is found', async () => {
    const { verdict, broken } = await run('swaps', { dialect })
    expect(broken).toBe(3)
    expect(verdict).toMatchObject({ ok: false, ...defects, outOfOrder: 3 })
    expect(verdict.examples[0]).toMatch(/^out of order: \d+-\d+ of room-[01] .* at client \d+$/)
  })

  it('acks messages that it does not keep, each is found lost for every member', async () => {
    const { verdict, broken } = await run('swallows', { dialect })
    expect(broken).toBe(3)
    expect(verdict).toMatchObject({ ok: false, ...defects, lost: 3 * MEMBERS })
  })

  it('delivers messages that nobody sent, each is found', async () => {
    const { verdict, broken } = await run('invents', { dialect })
    expect(broken).toBe(3)
    expect(verdict).toMatchObject({ ok: false, ...defects, phantom: 3 })
    expect(verdict.examples[0]).toMatch(
      /^phantom: in room-[01], at client \d+: 9\d+-\d+ was never sent there$/,
    )
  })
})

it('with a log, a disconnected client has lost nothing', async () => {
  const opened = await open('none', { dialect: 'chat' }, SLOW)
  await cutSome(opened)
  expect(await opened.crowd.fleet.settle(60_000, SERVER_QUIET_MS)).toMatchObject({
    settled: true,
    outstanding: 0,
  })
  const verdict = audit(await opened.crowd.fleet.records(), 'chat')
  expect(verdict).toMatchObject({ ok: true, ...defects, acked: MESSAGES, delivered: MESSAGES * MEMBERS })
})

it.each([
  ['of a log that forgets disconnected clients', 'chat', 'forgets'],
  ['of broadcasts that are not stored', 'bench', 'none'],
] as const)("%s, missed messages are found, with the client's absence", async (_name, dialect, defect) => {
  const opened = await open(defect, { dialect }, SLOW)
  await cutSome(opened)
  await opened.crowd.fleet.settle(1_000)
  const verdict = audit(await opened.crowd.fleet.records(), dialect)
  expect(verdict).toMatchObject({ ok: false, doubled: 0, outOfOrder: 0, phantom: 0 })
  expect(verdict.lostWhileAway).toBeGreaterThan(0)
  expect(verdict.lost).toBeGreaterThanOrEqual(verdict.lostWhileAway)
  if (defect === 'forgets') expect(verdict.lost).toBe(opened.server.broken)
  for (const line of verdict.examples)
    expect(line).toMatch(/^lost: .* by client [38] \(away \d+\.\d–\d+\.\d s\)$/)
})

/**
 * The messages and their rooms, in the order of their scheduled times, and these times relative to the first.
 */
async function sentWith(seed: number, agents: number) {
  const opened = await open(
    'none',
    { seed, agents, wanted: { rooms: ['a', 'b', 'c'] } },
    { arrivals: 'poisson' },
  )
  const { seconds } = opened.crowd
  const isOver = () => seconds.filter(({ at }) => at > opened.beginsAt + LOAD.durationMs).length >= agents
  await until(isOver, 'every process has reported the end of the load')
  await until(() => opened.server.taken.length === opened.crowd.sum('due'), 'all records are there')
  const sends = opened.server.taken.map(({ id, room, text }) => ({ id, room, dueAt: dueAtFrom(text) }))
  const inOrder = sends.toSorted((one, other) => one.dueAt - other.dueAt)
  await opened.crowd.close()
  await opened.server.stop()
  const begin = inOrder[0]?.dueAt ?? Number.NaN
  return {
    sends: inOrder.map(({ id, room }) => `${id} to ${room}`),
    afterMs: inOrder.map(({ dueAt }) => dueAt - begin),
  }
}

it('the same seed sends the same messages to the same rooms at the same times, with any number of processes', async () => {
  const once = await sentWith(11, 3)
  const again = await sentWith(11, 2)
  const other = await sentWith(12, 3)
  expect(once.sends.length).toBeGreaterThan(MESSAGES / 2)
  for (const room of ['a', 'b', 'c'])
    expect(once.sends.some((send) => send.endsWith(` to ${room}`))).toBe(true)
  expect(again.sends).toEqual(once.sends)
  // Texts contain microseconds.
  for (const [place, afterMs] of once.afterMs.entries()) expect(again.afterMs[place]).toBeCloseTo(afterMs, 2)
  expect(other.sends).not.toEqual(once.sends)
})
