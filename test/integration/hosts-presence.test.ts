/** Presence in rooms across the workers of two hosts, over a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AdapterHost, type WorkerContext } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

let hosts: AdapterHost
/** Each test has its own. */
let den: string
let tests = 0

beforeAll(async () => {
  // A silent host is detected sooner than by default.
  hosts = await AdapterHost.start(4, { backplane: { beatMs: 500, silentMs: 3_000 } }, 'two hosts')
})

beforeEach(async () => {
  tests += 1
  den = `den-${tests}`
  await hosts.restore()
})

afterAll(() => hosts.stop())

interface Change {
  room: string
  joined: string[]
  left: string[]
  count: number
}

/** From now on the worker watches the room, and records the changes that it receives. */
async function follow(worker: string, room = den): Promise<void> {
  await hosts.run(
    worker,
    async ({ link, noted, state }, name) => {
      if (state['follows'] === undefined)
        link.onEvent((event) => {
          if (event.type !== 'presence') return
          const { joined, left, count } = event
          noted.push({
            room: event.room,
            joined: joined.map(({ id }) => id),
            left: left.map(({ id }) => id),
            count,
          })
        })
      state['follows'] = true
      await link.subscribe(`r:${name}`)
    },
    room,
  )
}

const changes = async (worker: string) =>
  (await hosts.run(worker, ({ noted }) => noted as Change[])).filter(({ room }) => room === den)

/** @returns the users in the room, as the worker reports them */
function enter(worker: string, id: string, { room = den, sessionId = id } = {}): Promise<string[]> {
  return hosts.run(
    worker,
    async ({ link }, entering) => {
      const { members } = await link.request('presence.enter', entering)
      return members.map((member) => member.id).toSorted()
    },
    { room, user: { id, name: id }, sessionId },
  )
}

async function leave(worker: string, userId: string, { room = den, sessionId = userId } = {}): Promise<void> {
  await hosts.run(worker, async ({ link }, stayed) => void (await link.request('presence.leave', stayed)), {
    room,
    userId,
    sessionId,
  })
}

const lastChange = async (worker: string) => (await changes(worker)).at(-1)

/** 700 users. */
async function fill({ link }: WorkerContext, room: string): Promise<void> {
  for (let round = 0; round < 7; round += 1) {
    const users = Array.from({ length: 100 }, (_, index) => ({ id: `u${round}-${index}`, name: 'u' }))
    await Promise.all(users.map((user) => link.request('presence.enter', { room, user, sessionId: user.id })))
  }
}

const members = (worker: string, room = den) =>
  hosts.run(
    worker,
    async ({ link }, name) => {
      const found = await link.request('presence.members', { room: name })
      return found.members.map(({ id }) => id).toSorted()
    },
    room,
  )

const untilMembers = (worker: string, expected: string[], room = den) =>
  until(
    async () => (await members(worker, room)).join() === expected.join(),
    `${worker} sees ${expected.join()}`,
  )

describe('presence over two hosts', () => {
  it('is correct in the answer to entering, and announced to the users in the room', async () => {
    await follow('w1')
    await follow('w2')
    expect(await enter('w1', 'ann')).toEqual(['ann'])
    await untilMembers('w2', ['ann'])
    expect(await enter('w2', 'bob')).toEqual(['ann', 'bob'])
    await untilMembers('w1', ['ann', 'bob'])
    await until(
      async () => (await changes('w1')).some(({ joined }) => joined.includes('bob')),
      'w1 learns of bob',
    )
    await leave('w2', 'bob')
    await untilMembers('w1', ['ann'])
    await until(
      async () => (await changes('w1')).some(({ left }) => left.includes('bob')),
      'w1 learns that bob left',
    )
  })

  it('is known to a host that watches the room later, and to one that only reads it', async () => {
    await follow('w1')
    for (let index = 0; index < 20; index += 1) await enter('w1', `user ${String(index).padStart(2, '0')}`)
    const all = Array.from({ length: 20 }, (_, index) => `user ${String(index).padStart(2, '0')}`)
    expect(await members('w4')).toEqual(all)
    await follow('w2')
    expect(await enter('w2', 'zoe')).toEqual([...all, 'zoe'])
  })

  it('counts a user with tabs on two hosts once', async () => {
    await follow('w1')
    await follow('w2')
    await enter('w1', 'ann', { sessionId: 'tab 1' })
    expect(await enter('w2', 'ann', { sessionId: 'tab 2' })).toEqual(['ann'])
    await enter('w3', 'bob')
    await untilMembers('w2', ['ann', 'bob'])
    await leave('w1', 'ann', { sessionId: 'tab 1' })
    await leave('w3', 'bob')
    await untilMembers('w1', ['ann'])
    await untilMembers('w2', ['ann'])
    for (const worker of ['w1', 'w2'])
      expect((await changes(worker)).filter(({ left }) => left.includes('ann'))).toEqual([])
  })

  it('forgets the users of a worker, and of a host, that is killed', async () => {
    await follow('w1')
    await enter('w1', 'ann')
    await enter('w2', 'bob')
    await enter('w4', 'cat')
    await untilMembers('w1', ['ann', 'bob', 'cat'])
    const host = hosts.hostOf('w2')
    await hosts.kill('w4')
    await untilMembers('w1', ['ann', 'bob'])
    await hosts.killHost(host)
    await untilMembers('w1', ['ann'])
    await until(
      async () => (await changes('w1')).some(({ left }) => left.includes('bob')),
      'w1 learns that bob left',
    )
  })

  it('recovers when subscriptions are killed while users come and go', async () => {
    await follow('w1')
    await follow('w2')
    for (let round = 0; round < 10; round += 1) {
      await hosts.redis.cli('client', 'kill', 'type', 'pubsub')
      await Promise.all([enter('w1', `a${round}`), enter('w2', `b${round}`)])
      if (round % 2 === 0) await Promise.all([leave('w1', `a${round}`), leave('w2', `b${round}`)])
    }
    const expected = ['a', 'b'].flatMap((host) => [1, 3, 5, 7, 9].map((round) => `${host}${round}`))
    for (const worker of ['w1', 'w2']) await untilMembers(worker, expected)
  })

  it('recovers after a time without Redis', async () => {
    await follow('w1')
    await follow('w2')
    await enter('w1', 'ann')
    await enter('w2', 'bob')
    await untilMembers('w1', ['ann', 'bob'])
    await hosts.redis.kill()
    await leave('w2', 'bob')
    expect(await enter('w2', 'cat')).toContain('cat')
    await hosts.redis.start()
    await untilMembers('w1', ['ann', 'cat'])
    await untilMembers('w2', ['ann', 'cat'])
  })

  it('reports only the count for big rooms', async () => {
    await follow('w1')
    await hosts.run('w2', fill, den)
    const counted = () =>
      hosts.run('w1', async ({ link }, room) => (await link.request('presence.members', { room })).count, den)
    await until(async () => (await counted()) === 700, 'all users are counted')
    // Above that, the changes of a short while are reported together.
    await until(async () => (await lastChange('w1'))?.count === 700, 'w1 learns of all changes')
    expect(await lastChange('w1')).toEqual({ room: den, joined: [], left: [], count: 700 })
  })
})
