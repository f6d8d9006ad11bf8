import type { Socket } from 'socket.io'
import { expect, it } from 'vitest'
import { RoomNames } from '../../src/chat/rooms/room-names.ts'
import { Session } from '../../src/chat/session.ts'
import { RookeryError } from '../../src/wire/errors.ts'

/** A log in which only `Den` has messages under a name in capitals. */
class Log {
  reads: string[] = []
  readonly read = async (room: string) => {
    this.reads.push(room)
    await Promise.resolve()
    return { epoch: 'e', head: room === 'Den' ? 1 : 0, first: 1, entries: [], more: false }
  }
}

function newSession(takePage = async () => undefined): Session {
  return new Session({ connected: true } as Socket, { id: 'u', name: 'u' }, { isSlow: () => false, takePage })
}

it('names in lower case, and direct rooms, are found at once', () => {
  const [log, session] = [new Log(), newSession()]
  const names = new RoomNames(log)
  for (const room of ['den', 'ünï', 'dm:Ann:Bob']) expect(names.of(session, room)).toBe(room)
  expect(log.reads).toEqual([])
})

it('names in capitals are those of rooms that have messages, and are looked up once', async () => {
  const [log, session] = [new Log(), newSession()]
  const names = new RoomNames(log)
  expect(await Promise.all([names.of(session, 'Den'), names.of(session, 'More')])).toEqual(['Den', 'more'])
  expect([names.of(session, 'Den'), names.of(newSession(), 'More')]).toEqual(['Den', 'more'])
  expect(log.reads).toEqual(['Den', 'More'])
})

it('requests for one room keep their order, also when another session is quicker', async () => {
  const [log, session] = [new Log(), newSession()]
  const names = new RoomNames(log)
  const order: string[] = []
  const ask = async (what: string) => {
    await names.of(session, 'More')
    order.push(what)
  }
  const asked = [ask('join')]
  await names.find('More')
  asked.push(ask('send'))
  await Promise.all(asked)
  expect(order).toEqual(['join', 'send'])
})

it('a look-up counts as a page, and one that is refused is not remembered', async () => {
  let isRefused = true
  const [log, session] = [
    new Log(),
    newSession(async () => {
      if (isRefused) throw new RookeryError('rate_limited', 'too much')
      return undefined
    }),
  ]
  const names = new RoomNames(log)
  await expect(names.of(session, 'More')).rejects.toMatchObject({ code: 'rate_limited' })
  isRefused = false
  expect(await names.of(session, 'More')).toBe('more')
})
