/**
 * Three hosts, and a crowd over all of them that writes before, during and after a fault and is audited
 * afterwards.
 */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { openHostNetwork } from '../cluster/host-networks.ts'
import { startHosts, type TestHosts } from '../cluster/hosts.ts'
import { startRedis, type TestRedis } from '../redis/redis.ts'
import { until } from '../until.ts'
import { Crowd } from './crowd.ts'

const ROOMS = 10
export const WRITERS = 60
/** Acked before the fault, and again after it. */
const MESSAGES = 300
/** Slow, because three hosts, their Redis and 60 members share a machine while a test waits for a host. */
const PACE_MS = 800

export interface ThreeHosts {
  readonly redis: TestRedis
  readonly hosts: TestHosts
}

interface StartedHosts extends ThreeHosts {
  /** Restarts, resumes and reconnects everything that a failed test left killed, paused or cut off. */
  restore(): Promise<void>
  close(): Promise<void>
}

/**
 * Three hosts for the tests of a file: started before the first, restored before each, stopped after the
 * last.
 */
export function sharedThreeHosts(): ThreeHosts {
  let started: StartedHosts | undefined
  const running = (): StartedHosts => {
    if (started === undefined) throw new Error('the hosts start before the first test')
    return started
  }
  beforeAll(async () => {
    started = await startThreeHosts()
  })
  beforeEach(() => running().restore())
  afterAll(() => started?.close())
  return {
    get redis() {
      return running().redis
    },
    get hosts() {
      return running().hosts
    },
  }
}

/** With their own addresses, on one Redis that fsyncs before it answers a write. */
async function startThreeHosts(): Promise<StartedHosts> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of opened.splice(0).toReversed()) await end()
  }
  try {
    const net = await openHostNetwork(3)
    opened.push(() => net.close())
    const redis = await startRedis({ host: net.gateway, appendonly: 'always' })
    opened.push(() => redis.stop())
    const hosts = await startHosts(net, redis)
    opened.push(() => hosts.stop())
    const restore = async () => {
      if (redis.hasEnded) await redis.start()
      redis.resume()
      await hosts.restore()
    }
    return { redis, hosts, restore, close }
  } catch (error) {
    await close()
    throw error
  }
}

export interface RunOptions {
  hosts: TestHosts
  /** Prefix of the names of rooms and members, before the number of the crowd. */
  label: string
  /** Unacked messages of a member at a time. */
  inFlight?: number
}

let crowds = 0

export async function crowdOver({ hosts, label, inFlight = 2 }: RunOptions): Promise<Crowd> {
  crowds += 1
  const crowd = new Crowd({
    url: hosts.urls,
    rooms: ROOMS,
    membersPerRoom: WRITERS / ROOMS,
    label: `${label}-${crowds}-`,
    inFlight,
    paceMs: PACE_MS,
  })
  await crowd.joined()
  return crowd
}

/**
 * All members write before, during and after `happening`. Then no acked message is missing or duplicated, all
 * members have seen one order, no process has exited that the test did not kill, and every host is healthy.
 */
export async function during(
  options: RunOptions,
  happening: (crowd: Crowd) => Promise<void>,
): Promise<Crowd> {
  const { hosts } = options
  const crowd = await crowdOver(options)
  try {
    await writeThrough(crowd, () => happening(crowd))
    await crowd.audit()
    await hosts.untilWhole()
    expect(hosts.deaths()).toEqual([])
    return crowd
  } finally {
    crowd.close()
  }
}

/** Resolves when `happening` is over and every member has an ack for a message sent after it. */
export async function writeThrough(crowd: Crowd, happening: () => Promise<void>): Promise<void> {
  let over = false
  const writing = crowd.writeUntil(() => over)
  const through = async () => {
    try {
      await untilAcked(crowd, MESSAGES)
      await happening()
      await untilAcked(crowd, crowd.ackedCount + MESSAGES)
    } finally {
      over = true
    }
  }
  await Promise.all([through(), writing])
  await crowd.write(2)
}

async function untilAcked(crowd: Crowd, count: number): Promise<void> {
  await until(
    () => crowd.ackedCount >= count,
    `${count} messages are acked`,
    () => `${crowd.ackedCount} are; refused because of ${crowd.reasons().join(', ')}`,
  )
}
