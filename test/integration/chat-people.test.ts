/** Finding people by their names: everybody whom the chat knows, and the members of a room. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { HISTORY_SETTINGS, publish } from '../harness/page/history.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/crowd.js', import.meta.url).pathname
const LARGE = 600
const HUGE = 1_200

let rookery: RunningRookery
const { connect, guest, guestElsewhere } = chatClients(() => rookery.url)

beforeAll(async () => {
  const CROWD = JSON.stringify({ large: LARGE, huge: HUGE })
  rookery = await startRookery({ args: ['--app', APP], env: { WORKERS: '2', CROWD, ...HISTORY_SETTINGS } })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

/** Those who are not connected are in brackets. */
async function search(client: ChatClient, part: string, limit?: number): Promise<string[]> {
  const asked = { search: part, ...(limit === undefined ? {} : { limit }) }
  const { people } = await client.ask('people:search', asked)
  return people.map(({ name, present }) => (present ? name : `(${name})`))
}

it('people are found who share no room, on any worker, also after they have left', async () => {
  const ann = await guest('Ann Asker')
  const ada = await guestElsewhere('Ada Lovelace', ann)
  await guest('Grace Lovell')
  await until(async () => (await search(ann, 'lovel')).length === 2, 'both are connected')
  expect(new Set(await search(ann, 'LOVEL'))).toEqual(new Set(['Ada Lovelace', 'Grace Lovell']))
  expect(await search(ann, 'lovela')).toEqual(['Ada Lovelace'])
  expect(await search(ann, 'lovel', 1)).toHaveLength(1)
  ada.close()
  await until(async () => (await search(ann, 'lovela'))[0] === '(Ada Lovelace)', 'Ada has left')
})

it('authors are found once somebody has read what they wrote', async () => {
  const reader = await guest('Reader')
  await publish(rookery.url, 'written', [
    { from: { id: 'katherine', name: 'Katherine Johnson' }, text: 'hello' },
  ])
  expect(await search(reader, 'johns')).toEqual([])
  await reader.join('written')
  expect(await search(reader, 'johns')).toEqual(['(Katherine Johnson)'])
})

it('those who can’t come back are not found once they have left', async () => {
  const reader = await guest('Reader')
  const passerBy = connect({ auth: { name: 'Passer By' } })
  await passerBy.next('welcome')
  await until(async () => (await search(reader, 'passer'))[0] === 'Passer By', 'the guest is found')
  passerBy.close()
  await until(async () => (await search(reader, 'passer')).length === 0, 'the guest is gone')
})

it('a search without text, or for too many, is refused', async () => {
  const ann = await guest('Ann Asker')
  const refusal = { code: 'bad_request' }
  expect(await ann.refused('people:search', {})).toMatchObject(refusal)
  expect(await ann.refused('people:search', { search: '  ' })).toMatchObject(refusal)
  expect(await ann.refused('people:search', { search: 'a', limit: 51 })).toMatchObject(refusal)
  expect(await ann.refused('room:members', { room: 'large', search: 'x'.repeat(65) })).toMatchObject(refusal)
})

it('all members of a large room can be listed page by page, and found by name', async () => {
  const ann = await guest('Ann Asker')
  const { members: first } = await ann.join('large')
  expect(first).toHaveLength(500)
  const { members: rest, count } = await ann.ask('room:members', {
    room: 'large',
    after: first.at(-1)?.id ?? '',
  })
  expect(count).toBe(LARGE + 1)
  expect(rest.at(-1)).toEqual(ann.user)
  expect(new Set([...first, ...rest].map(({ id }) => id)).size).toBe(LARGE + 1)
  const found = await ann.ask('room:members', { room: 'large', search: 'guest 600' })
  expect(found).toEqual({ members: [{ id: 'g600', name: 'Guest 600' }], count: LARGE + 1 })
})

it('the client lists up to 1,000 members, and finds the others', async () => {
  const ann = new Watch({ url: rookery.url, name: 'Ann Asker', room: 'huge' })
  try {
    await ann.room.live()
    const { list, count } = await ann.room.fetchMembers()
    expect([list.length, count]).toEqual([1_000, HUGE + 1])
    expect(await ann.room.findMembers('1200')).toEqual([{ id: 'g1200', name: 'Guest 1200' }])
    expect(ann.room.members.list).toHaveLength(1_000)
    const found = await ann.client.findPeople('asker')
    expect(found).toEqual([{ ...ann.client.user, present: true }])
  } finally {
    await ann.close()
  }
})

it('the search for people can be switched off; members of a room are still found', async () => {
  const closed = await startRookery({ env: { WORKERS: '1', PEOPLE_SEARCH: 'false' } })
  const ann = await ChatClient.guest(closed.url, 'Ann Asker')
  try {
    expect(await ann.refused('people:search', { search: 'ann' })).toMatchObject({ code: 'forbidden' })
    await ann.join('den')
    const found = await ann.ask('room:members', { room: 'den', search: 'ask' })
    expect(found).toEqual({ members: [ann.user], count: 1 })
  } finally {
    ann.close()
    expect(await closed.stop()).toBe(0)
  }
})
