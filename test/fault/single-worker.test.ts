/**
 * One host of three workers under load: a worker is paused, hangs, runs out of memory, or does not read from
 * its primary.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { residentBytes, SelfFaults } from '../harness/faults/process.ts'
import type { Crowd } from '../harness/members/crowd.ts'
import type { Member } from '../harness/members/member.ts'
import { servedBy, underLoad, untilMoreAcked } from '../harness/members/under-load.ts'
import { until } from '../harness/until.ts'

const WORKERS = 3
/** Longer than a busy machine delays a process, or a healthy worker would be considered hung. */
const HANG_TIMEOUT_MS = 4_500
const SHORT_MS = 1_500
const NEWCOMERS = 60
const MAY_GROW_BYTES = 100 * 1024 ** 2

let rookery: RunningRookery
let faults: SelfFaults

beforeAll(async () => {
  faults = await SelfFaults.open()
  const env = {
    WORKERS: String(WORKERS),
    WORKER_HANG_TIMEOUT_MS: String(HANG_TIMEOUT_MS),
    ...UNLIMITED_RATES,
    ...faults.env('--max-old-space-size=160'),
  }
  rookery = await startRookery({ env })
})

afterAll(async () => {
  await rookery?.kill()
  await faults?.close()
})

interface Victim {
  name: string
  pid: number
}

/** Workers that serve members of the crowd, the oldest first. */
function victimsOf(crowd: Crowd): Victim[] {
  const pids = rookery.workerPids()
  const all = rookery.workerNames().map((name, at) => ({ name, pid: pids[at] ?? 0 }))
  return all.filter(({ name }) => servedBy(crowd, name).its.length > 0)
}

const deathOf = ({ name }: Victim) =>
  rookery.logs.find(({ msg, worker }) => msg === 'worker died' && worker === name)

/**
 * The victims exit, their members reconnect to other workers and lose nothing, other members notice nothing.
 * @returns why each has exited
 */
async function affectsOwnMembersOnly(
  label: string,
  count: number,
  fault: (victims: Victim[], others: Member[]) => Promise<void>,
): Promise<string[]> {
  let reasons: string[] = []
  await underLoad({ url: rookery.url, label }, async (crowd) => {
    const victims = victimsOf(crowd).slice(0, count)
    expect(victims).toHaveLength(count)
    const its = victims.flatMap(({ name }) => servedBy(crowd, name).its)
    const others = crowd.members.filter((member) => !its.includes(member))
    expect(others.length).toBeGreaterThan(0)
    await fault(victims, others)
    await until(
      () => victims.every((victim) => deathOf(victim) !== undefined),
      'the workers have exited',
      () => rookery.tail(),
    )
    reasons = victims.map((victim) => String(deathOf(victim)?.reason))
    await until(() => its.every(({ disconnects }) => disconnects > 0), 'their members are disconnected')
    await untilMoreAcked(crowd)
    expect(others.map(({ disconnects }) => disconnects)).toEqual(others.map(() => 0))
  })
  await until(() => rookery.workerNames().length === WORKERS, 'there are as many workers as before')
  return reasons
}

test('a worker and the primary are paused for a moment: no message and no connection is lost', async () => {
  const crowd = await underLoad({ url: rookery.url, label: 'still-' }, async (writers) => {
    const [victim] = victimsOf(writers)
    if (victim === undefined) throw new Error('no worker has members')
    process.kill(victim.pid, 'SIGSTOP')
    await delay(SHORT_MS)
    process.kill(victim.pid, 'SIGCONT')
    await untilMoreAcked(writers)
    await faults.cause(victim.pid, `stall ${SHORT_MS}`)
    await rookery.untilLog('fault', 1)
    await untilMoreAcked(writers)
    await faults.cause(rookery.pid, `stall ${SHORT_MS}`)
    await rookery.untilLog('fault', 2)
  })
  expect(crowd.disconnects).toBe(0)
  expect(rookery.log('worker died')).toBeUndefined()
})

test('one worker is paused, another does not read from its primary: both are detected and replaced, and newcomers are admitted', async () => {
  const before = await residentBytes(rookery.pid)
  const newcomers: ChatClient[] = []
  try {
    const reasons = await affectsOwnMembersOnly('hung-', 2, async ([still, deaf], others) => {
      if (still === undefined || deaf === undefined) throw new Error('there are two')
      process.kill(still.pid, 'SIGSTOP')
      await faults.cause(deaf.pid, 'deaf')
      await rookery.untilLog('fault', 3)
      for (let n = 0; n < NEWCOMERS; n += 1)
        newcomers.push(
          new ChatClient(rookery.url, { auth: { name: `Newcomer ${n}` }, reconnectionDelay: 50 }),
        )
      const last = others.map((member) => member.last)
      await until(
        () => others.every((member, at) => member.last > (last[at] ?? 0)),
        'the other members receive new messages meanwhile',
      )
    })
    expect(reasons[0]).toContain('answered nothing')
    expect(reasons[1]).toContain('took no connections')
    await until(() => newcomers.every((one) => one.all('welcome').length > 0), 'every newcomer is admitted')
  } finally {
    for (const one of newcomers) one.close()
  }
  expect(await residentBytes(rookery.pid)).toBeLessThan(before + MAY_GROW_BYTES)
})

test('a worker runs out of memory: it is replaced, and the log gives the likely cause', async () => {
  const [reason] = await affectsOwnMembersOnly('eating-', 1, async ([victim]) => {
    await faults.cause(victim?.pid ?? 0, 'eat')
  })
  expect(reason).toContain('memory')
})
