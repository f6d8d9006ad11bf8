/**
 * The tabs of one user share that user's limits. After a restart all of them join all their rooms at once: no
 * request is refused for it, and what the user sends does not wait for the other rooms.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectChat } from '../../src/client/client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const TABS = 5
const ROOMS = 60

let rookery: RunningRookery

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '1', REQUEST_RATE: '100', REQUEST_BURST: '100' } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

/** Refused requests since the worker's start. */
async function refusals(): Promise<string[]> {
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('rookery_chat_requests_total') && !line.includes('code="ok"'))
}

it('five tabs with sixty rooms come back after a restart, and nothing is refused', async () => {
  const tabs = Array.from({ length: TABS }, () =>
    connectChat({ url: rookery.url, auth: { name: 'Ann', key: 'the secret key of Ann' } }),
  )
  const errors: unknown[] = []
  for (const tab of tabs) {
    tab.on('error', (error) => errors.push(error))
    tab.on('refused', (error) => errors.push(error))
  }
  const rooms = tabs.map((tab) => Array.from({ length: ROOMS }, (_, n) => tab.join(`room-${n}`)))
  const live = async () => await Promise.all(rooms.flat().map((room) => room.live()))
  await Promise.all([live(), ...tabs.map((tab) => tab.rooms())])
  expect(await refusals()).toEqual([])

  const lost = tabs.map((tab) => new Promise((resolve) => tab.on('state', resolve)))
  rookery.killWorker(0)
  await Promise.all(lost)
  const joined = rooms.map((own) => {
    const names: string[] = []
    for (const room of own) room.on('state', (state) => state !== 'joining' && names.push(room.name))
    return names
  })
  const sent = rooms.map(async (own) => (await own[ROOMS - 1]?.send('still here').settled)?.state)
  expect(await Promise.all(sent)).toEqual(tabs.map(() => 'sent'))
  // Most rooms still wait for their turn.
  for (const room of rooms.map((own) => own[ROOMS - 1])) {
    room?.typing(true)
    room?.read(room.lastSeq)
    room?.typing(false)
  }
  await live()
  await until(async () => {
    const own = (await tabs[0]?.rooms())?.find(({ room }) => room === `room-${ROOMS - 1}`)
    return own?.head === TABS && own.read === TABS
  }, 'the read markers have arrived')
  expect(joined.map(([first]) => first)).toEqual(tabs.map(() => `room-${ROOMS - 1}`))
  expect(await refusals()).toEqual([])
  expect(errors).toEqual([])
  await Promise.all(tabs.map((tab) => tab.close()))
})
