/** The part of the room-log contract that is about a user's own rooms: tracking, read markers, unread counts. */
import { expect, it } from 'vitest'
import { ann, bob, edit, type OpenLog, refused, remove, text } from './log-under-test.ts'

export function describeUserRooms(open: OpenLog): void {
  it("lists a user's own rooms by name, and forgets them", async () => {
    const { log, openReader } = await open()
    for (const room of ['den', 'attic', 'Zoo', 'den:2']) await log.trackRoom('ann', room)
    await log.trackRoom('ann!', 'cellar')
    await log.trackRoom('ann', 'den')
    await log.append('den', text('m1', 'hi', bob))
    const reader = await openReader()
    expect(await reader.userRooms('ann')).toEqual([
      { room: 'Zoo', head: 0, read: 0, unread: 0 },
      { room: 'attic', head: 0, read: 0, unread: 0 },
      { room: 'den', head: 1, read: 0, unread: 1 },
      { room: 'den:2', head: 0, read: 0, unread: 0 },
    ])
    await log.forgetRoom('ann', 'attic')
    await log.forgetRoom('ann', 'never')
    expect((await reader.userRooms('ann')).map(({ room }) => room)).toEqual(['Zoo', 'den', 'den:2'])
    expect(await reader.userRooms('nobody')).toEqual([])
  })

  it('counts unread texts from the time the room became one of the own rooms, again after it was left', async () => {
    const { log } = await open()
    for (let n = 1; n <= 3; n += 1) await log.append('den', text(`m${n}`, 'hi', bob))
    await log.trackRoom('ann', 'den')
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 3, read: 3, unread: 0 }])
    await log.append('den', text('m4', 'hi', bob))
    await log.trackRoom('ann', 'den')
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 4, read: 3, unread: 1 }])
    await log.forgetRoom('ann', 'den')
    await log.trackRoom('ann', 'den')
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 4, read: 4, unread: 0 }])
  })

  it('lists and limits rooms in all scripts', async () => {
    const { log, openReader } = await open({ roomsPerUser: 4 })
    const rooms = ['ünï', '会議', 'שלום', '\u{2fa1d}']
    for (const room of rooms) await log.trackRoom('ann', room)
    await log.append('会議', text('m1', 'hi', bob))
    await expect(log.trackRoom('ann', 'жизнь')).rejects.toEqual(refused('forbidden'))
    const own = await (await openReader()).userRooms('ann')
    expect(new Set(own.map(({ room }) => room))).toEqual(new Set(rooms))
    expect(own.find(({ room }) => room === '会議')).toEqual({ room: '会議', head: 1, read: 0, unread: 1 })
    expect(await log.markRead('ann', '会議', 1)).toBe(1)
    expect((await log.read('会議', { newest: true, limit: 1 })).entries).toMatchObject([
      { room: '会議', text: 'hi' },
    ])
  })

  it('limits the rooms of a user', async () => {
    const { log } = await open({ roomsPerUser: 3 })
    for (const room of ['a', 'b', 'c']) await log.trackRoom('ann', room)
    await expect(log.trackRoom('ann', 'd')).rejects.toEqual(refused('forbidden'))
    await log.trackRoom('ann', 'a')
    await log.forgetRoom('ann', 'b')
    await log.trackRoom('ann', 'd')
    await log.trackRoom('bob', 'd')
    expect((await log.userRooms('ann')).map(({ room }) => room)).toEqual(['a', 'c', 'd'])
  })

  it('moves a read marker only forward, and never beyond the head', async () => {
    const { log } = await open()
    await log.trackRoom('ann', 'den')
    for (let n = 1; n <= 5; n += 1) await log.append('den', text(`m${n}`, 'hi', bob))
    expect(await log.markRead('ann', 'den', 3)).toBe(3)
    expect(await log.markRead('ann', 'den', 2)).toBe(3)
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 5, read: 3, unread: 2 }])
    expect(await log.markRead('ann', 'den', 99)).toBe(5)
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 5, read: 5, unread: 0 }])
    await expect(log.markRead('bob', 'den', 1)).rejects.toEqual(refused('not_joined'))
  })

  it('counts texts that are unread and not removed, and nothing else', async () => {
    const { log } = await open()
    await log.trackRoom('ann', 'den')
    for (let n = 1; n <= 4; n += 1) await log.append('den', text(`m${n}`, 'hi', bob))
    await log.append('den', edit('e1', 1, 'ho', bob))
    const unread = async () => (await log.userRooms('ann'))[0]?.unread
    expect(await unread()).toBe(4)
    await log.append('den', remove('r1', 1, bob))
    expect(await unread()).toBe(3)
    await log.markRead('ann', 'den', 2)
    expect(await unread()).toBe(2)
    await log.append('den', remove('r2', 2, bob))
    expect(await unread()).toBe(2)
    await log.append('den', remove('r4', 4, bob))
    expect(await unread()).toBe(1)
  })

  it('marks what a user writes as read by that user', async () => {
    const { log } = await open()
    await log.trackRoom('ann', 'den')
    await log.trackRoom('bob', 'den')
    await log.append('den', text('m1', 'hi', bob))
    await log.append('den', text('m2', 'hello', ann))
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 2, read: 2, unread: 0 }])
    expect(await log.userRooms('bob')).toEqual([{ room: 'den', head: 2, read: 1, unread: 1 }])
    await log.append('den', text('m3', 'hi again', bob))
    await log.append('den', text('m2', 'hello', ann))
    expect((await log.userRooms('ann'))[0]?.read).toBe(2)
    await log.append('attic', text('m1', 'not tracked', ann))
    expect((await log.userRooms('ann')).map(({ room }) => room)).toEqual(['den'])
  })

  it('counts only entries that are still kept', async () => {
    const { log } = await open({ retention: { messages: 3, days: 365 } })
    await log.trackRoom('ann', 'den')
    for (let n = 1; n <= 8; n += 1) await log.append('den', text(`m${n}`, 'hi', bob))
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 8, read: 0, unread: 3 }])
    await log.markRead('ann', 'den', 7)
    expect(await log.userRooms('ann')).toEqual([{ room: 'den', head: 8, read: 7, unread: 1 }])
  })
}
