/** A primary is paused for a while: requests are refused in time, and no disconnected user stays present. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChatClient } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery

beforeEach(async () => {
  rookery = await startRookery({ env: { WORKERS: '1' } })
})
afterEach(async () => {
  expect(await rookery.stop()).toBe(0)
})

const { guest } = chatClients(() => rookery.url)

const count = async (client: ChatClient, room: string) => (await client.ask('room:members', { room })).count

it('refuses joins of open and of new rooms as unavailable, and leaves no disconnected user present', async () => {
  const [watcher, late, alone, leaver] = [
    await guest('Watcher'),
    await guest('Late'),
    await guest('Alone'),
    await guest('Leaver'),
  ]
  await watcher.join('den')
  await leaver.join('den')
  rookery.signal('SIGSTOP')
  try {
    const refusals = await Promise.all([
      late.refused('room:join', { room: 'den' }),
      alone.refused('room:join', { room: 'fresh' }),
    ])
    expect(refusals.map(({ code }) => code)).toEqual(['unavailable', 'unavailable'])
    for (const client of [late, alone, leaver]) client.close()
    // The worker has received it: its later requests to the primary are refused too.
    expect(await watcher.refused('room:members', { room: 'den' })).toMatchObject({ code: 'unavailable' })
  } finally {
    rookery.signal('SIGCONT')
  }
  await until(async () => (await count(watcher, 'den')) === 1, 'the watcher is alone in the den')
  await until(async () => (await count(watcher, 'fresh')) === 0, 'nobody is in the new room')
  const again = await guest('Late')
  expect((await again.join('den')).members).toHaveLength(2)
  again.close()
  await until(async () => (await count(watcher, 'den')) === 1, 'presence is correct')
})
