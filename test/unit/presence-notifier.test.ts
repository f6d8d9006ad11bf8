/** Presence of three hosts on a backplane in this process. The test can drop messages and controls the time. */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Backplane } from '../../src/primary/backplane/backplane.ts'
import { singleHostBackplane } from '../../src/primary/backplane/backplane.ts'
import { PresenceNotifier } from '../../src/primary/presence/notifier.ts'
import type { HostMessage } from '../../src/wire/host-messages.ts'
import type { PresenceEvent } from '../../src/wire/requests.ts'

const TAGS = ['AAAAAA', 'BBBBBB', 'CCCCCC']

interface TestHost {
  feed: PresenceNotifier
  reported: PresenceEvent[]
  /** While true, messages of others are lost on the way to this host. */
  deaf: boolean
  gap(host: string): void
}

let hosts: TestHost[] = []

function join(): TestHost[] {
  const heard = new Map<string, (message: HostMessage, from: string) => void>()
  const gaps = new Map<string, (host: string) => void>()
  const deaf = new Set<string>()
  const pass = (from: string, to: string, message: HostMessage) => {
    if (!deaf.has(to)) heard.get(to)?.(structuredClone(message), from)
    return true
  }
  return TAGS.map((self) => {
    const others = TAGS.filter((tag) => tag !== self)
    const backplane: Backplane = {
      ...singleHostBackplane(self),
      hosts: () => others.map((host) => ({ host, name: host, forwardTo: undefined })),
      publish: (_, message) => others.every((to) => pass(self, to, message)),
      send: (to, message) => pass(self, to, message),
      onMessage: (listener) => void heard.set(self, listener),
      onGap: (listener) => void gaps.set(self, listener),
    }
    const reported: PresenceEvent[] = []
    const surroundings = { backplane, logger: pino({ level: 'silent' }), registry: new Registry() }
    const feed = new PresenceNotifier((_, event) => reported.push(event), undefined, surroundings)
    return {
      feed,
      reported,
      get deaf() {
        return deaf.has(self)
      },
      set deaf(now) {
        if (now) deaf.add(self)
        else deaf.delete(self)
      },
      gap: (host) => gaps.get(self)?.(host),
    }
  })
}

const user = (id: string) => ({ id, name: id })
const names = (host: TestHost) =>
  host.reported.map(({ joined, left }) =>
    [...joined.map(({ id }) => `+${id}`), ...left.map(({ id }) => `-${id}`)].join(' '),
  )

beforeEach(() => {
  vi.useFakeTimers()
  hosts = join()
  for (const { feed } of hosts) feed.want('den')
  vi.advanceTimersByTime(5_000)
})

afterEach(() => {
  for (const { feed } of hosts) feed.close()
  vi.useRealTimers()
})

const three = (): [TestHost, TestHost, TestHost] => hosts as [TestHost, TestHost, TestHost]

describe('presence across hosts', () => {
  it('reports no change for a user who moves to another host within the time in which changes are combined', () => {
    const [first, second] = three()
    for (const phaseMs of [0, 10, 24, 25, 26, 49, 75, 100]) {
      const sessionId = `session at ${phaseMs}`
      void first.feed.enter('w1', { room: 'den', user: user('ann'), sessionId })
      vi.advanceTimersByTime(5_000 + phaseMs)
      for (const host of hosts) host.reported.length = 0
      // Other changes shift the times at which each host reports to any phase.
      void second.feed.enter('w1', { room: 'den', user: user('bob'), sessionId })
      vi.advanceTimersByTime(phaseMs)
      first.feed.leave('w1', { room: 'den', userId: 'ann', sessionId })
      vi.advanceTimersByTime(50)
      void second.feed.enter('w1', { room: 'den', user: user('ann'), sessionId })
      vi.advanceTimersByTime(5_000)
      for (const host of hosts) expect(names(host), `${phaseMs} ms`).toEqual(['+bob'])
      second.feed.leave('w1', { room: 'den', userId: 'ann', sessionId })
      second.feed.leave('w1', { room: 'den', userId: 'bob', sessionId })
      vi.advanceTimersByTime(5_000)
    }
  })

  it('resyncs when a change is missing, and when a change may be missing', async () => {
    const [first, second, third] = three()
    third.deaf = true
    void first.feed.enter('w1', { room: 'den', user: user('ann'), sessionId: '1' })
    vi.advanceTimersByTime(1_000)
    third.deaf = false
    void first.feed.enter('w1', { room: 'den', user: user('bob'), sessionId: '1' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await third.feed.members('den')).count).toBe(2)
    third.deaf = true
    first.feed.dropWorker('w1')
    void second.feed.enter('w1', { room: 'den', user: user('cat'), sessionId: '1' })
    vi.advanceTimersByTime(1_000)
    third.deaf = false
    for (const tag of TAGS.slice(0, 2)) third.gap(tag)
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await third.feed.members('den')).members).toEqual([user('cat')])
  })

  it('waits for the members on other hosts, but not forever', async () => {
    const [first, second] = three()
    void second.feed.enter('w1', { room: 'attic', user: user('ann'), sessionId: '1' })
    const answered = first.feed.enter('w1', { room: 'attic', user: user('bob'), sessionId: '1' })
    await vi.advanceTimersByTimeAsync(100)
    expect((await answered).members.map(({ id }) => id).toSorted()).toEqual(['ann', 'bob'])
    first.deaf = true
    const late = first.feed.enter('w1', { room: 'cellar', user: user('bob'), sessionId: '1' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await late).members).toEqual([user('bob')])
    first.deaf = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
