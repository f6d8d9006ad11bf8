/** Presence, typing and read markers: events that are delivered live and not stored. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { directRoom } from '../../src/wire/chat-direct.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
const { connect, guest, guestElsewhere } = chatClients(() => rookery.url)

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '3', REQUEST_BURST: '1000', MESSAGE_BURST: '1000' } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

const newRoom = () => `room.${randomUUID()}`

it('counts a user with three tabs once, and announces joining and leaving once', async () => {
  const room = newRoom()
  const watcher = await guest('Watcher')
  await watcher.join(room)
  const tabs = [await guest('Ada'), await guest('Ada'), await guest('Ada')]
  const [first] = tabs
  if (first === undefined) throw new Error('three tabs')
  for (const tab of tabs) await tab.join(room)
  expect(await watcher.ask('room:members', { room })).toEqual({
    members: [watcher.user, first.user],
    count: 2,
  })
  await watcher.next('presence', ({ joined }) => joined?.some(({ id }) => id === first.user.id) === true)
  const [one, two, three] = tabs
  one?.close()
  await two?.ask('room:leave', { room })
  expect(await watcher.ask('room:members', { room })).toMatchObject({ count: 2 })
  three?.close()
  await watcher.next('presence', ({ left }) => left?.some(({ id }) => id === first.user.id) === true)
  expect(await watcher.ask('room:members', { room })).toEqual({ members: [watcher.user], count: 1 })
  const about = watcher
    .all('presence')
    .flatMap(({ joined = [], left = [] }) => [
      ...joined.map(({ id }) => `+${id}`),
      ...left.map(({ id }) => `-${id}`),
    ])
    .filter((change) => change.endsWith(first.user.id))
  expect(about).toEqual([`+${first.user.id}`, `-${first.user.id}`])
})

it('forgets the users of a killed worker', async () => {
  const room = newRoom()
  const watcher = await guest('Watcher')
  const other = await guestElsewhere('Ada', watcher)
  other.socket.io.reconnection(false)
  await watcher.join(room)
  await other.join(room)
  const { id } = other.user
  await watcher.next('presence', ({ joined }) => joined?.some((user) => user.id === id) === true)
  rookery.killWorker(rookery.workerNames().indexOf(other.welcome.worker))
  await watcher.next('presence', ({ left }) => left?.some((user) => user.id === id) === true)
  expect(await watcher.ask('room:members', { room })).toEqual({ members: [watcher.user], count: 1 })
  expect(watcher.disconnects).toEqual([])
})

it('announces typing to the other members on every worker, and to nobody else', async () => {
  const room = newRoom()
  const ada = await guest('Ada')
  const bob = await guestElsewhere('Bob', ada)
  const eve = await guest('Eve')
  await ada.join(room)
  await bob.join(room)
  const heard = () => bob.all('typing')
  // Typing is volatile and may be lost, so it is sent until it arrives.
  await until(() => {
    if (heard().length === 0) ada.socket.emit('typing', { room, typing: true })
    return heard().length > 0
  }, 'the typing event arrives')
  expect(heard()[0]).toEqual({ room, user: ada.user, typing: true })
  await until(() => {
    ada.socket.emit('typing', { room, typing: false })
    return heard().some(({ typing }) => !typing)
  }, 'the end of typing arrives')
  expect(await eve.refused('typing', { room, typing: true })).toMatchObject({ code: 'not_joined' })
  expect(ada.all('typing')).toEqual([])
  expect(eve.all('typing')).toEqual([])
})

it('announces read markers on every worker', async () => {
  const room = newRoom()
  const ada = await guest('Ada')
  const bob = await guestElsewhere('Bob', ada)
  await ada.join(room)
  await bob.join(room)
  await ada.send(room, 'm-1')
  await ada.ask('room:read', { room, seq: 1 })
  expect(await bob.next('read')).toEqual({ room, user: { id: ada.user.id }, seq: 1 })
})

it('serves a guest without a key, and keeps nothing for a guest who cannot return', async () => {
  const room = newRoom()
  const ada = await guest('Ada')
  const passing = connect({ auth: { name: 'Passing' } })
  await passing.next('welcome')
  await ada.join(room)
  expect(await passing.refused('room:read', { room, seq: 1 })).toMatchObject({ code: 'not_joined' })
  await passing.join(room)
  await ada.send(room, 'm-1')
  await passing.send(room, 'm-2')
  expect(await passing.ask('room:read', { room, seq: 99 })).toEqual({ seq: 2 })
  expect(await ada.next('read')).toEqual({ room, user: { id: passing.user.id }, seq: 2 })
  expect(await passing.ask('rooms', {})).toEqual({ rooms: [] })
  const direct = directRoom(ada.user.id, passing.user.id)
  if (direct === undefined) throw new Error('guests have ids that stand in the name of a direct room')
  await passing.join(direct)
  await passing.send(direct, 'm-3')
  expect((await ada.ask('rooms', {})).rooms.map((own) => own.room)).toEqual(
    expect.arrayContaining([room, direct]),
  )
  expect(await passing.ask('rooms', {})).toEqual({ rooms: [] })
  await passing.ask('room:leave', { room })
})
