/** In any order of events, each member gets every entry once and in order: as a message, or as part of a gap. */
import * as fc from 'fast-check'
import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import type { FeedOutput, Member } from '../../src/chat/rooms/room-feed.ts'
import { BUFFERED_MAX, RoomFeed } from '../../src/chat/rooms/room-feed.ts'
import type { ChatEvents } from '../../src/wire/chat.ts'
import type { Author, LogEntry } from '../../src/wire/entry.ts'

type ReceivedEvent =
  | { event: 'message'; seq: number }
  | { event: 'gap'; from: number; to: number }
  | { event: 'presence' }
  | { event: 'epoch'; epoch: string; head: number }

/** A client: what it has received, and whether it keeps up. */
class Client {
  readonly received: ReceivedEvent[] = []
  readonly payloads: unknown[] = []
  slow = false
  readonly socket: Socket

  constructor(id: string) {
    const emit = (event: string, payload: { from: number; to: number }) => {
      this.received.push({ event: 'gap', from: payload.from, to: payload.to })
      return event === 'gap'
    }
    this.socket = { id, emit } as unknown as Socket
  }

  /** The sequence numbers that it has received, as messages or in gaps, in order. */
  numbers(): number[] {
    return this.received.flatMap((one) => {
      if (one.event === 'message') return [one.seq]
      if (one.event === 'presence' || one.event === 'epoch') return []
      return Array.from({ length: one.to - one.from + 1 }, (_, i) => one.from + i)
    })
  }
}

class Room {
  readonly clients = new Map<Socket, Client>()
  readonly slowed: Member[] = []
  delivered = 0
  readonly feed: RoomFeed
  #seq = 0

  constructor() {
    const output: FeedOutput = {
      fanOut: (sockets, event, payload) => this.#fanOut(sockets, event, payload),
      onSlow: (member) => this.slowed.push(member),
      onRecovered: (member) => this.slowed.splice(this.slowed.indexOf(member), 1),
      onDelivered: (count) => {
        this.delivered += count
      },
      onGap: () => undefined,
    }
    this.feed = new RoomFeed('lobby', output)
  }

  get head(): number {
    return this.#seq
  }

  /** Replaces the log by another one with the given head. */
  reset(epoch: string, head: number): void {
    this.#seq = head
    this.feed.reset(epoch, head)
  }

  publish(count = 1): void {
    const entries = Array.from({ length: count }, () => entry(++this.#seq))
    this.feed.entries(entries)
  }

  client(): { client: Client; member: Member } {
    const client = new Client(`s${this.clients.size}`)
    this.clients.set(client.socket, client)
    return { client, member: this.feed.add(client.socket, { id: client.socket.id, name: 'N' }) }
  }

  #fanOut(sockets: Iterable<Socket>, event: string, payload: unknown): Socket[] {
    const passedOver: Socket[] = []
    for (const socket of sockets) {
      const client = this.clients.get(socket)
      if (client === undefined || client.slow) {
        passedOver.push(socket)
        continue
      }
      client.payloads.push(payload)
      if (event === 'presence') client.received.push({ event })
      else if (event === 'epoch') {
        const { epoch, head } = payload as ChatEvents['epoch']
        client.received.push({ event, epoch, head })
      } else client.received.push({ event: 'message', seq: (payload as LogEntry).seq })
    }
    return passedOver
  }
}

function user(id: string): Author {
  return { id, name: id }
}

function entry(seq: number): LogEntry {
  return { room: 'lobby', seq, id: `m${seq}`, kind: 'text', from: { id: 'u', name: 'U' }, text: 'x', at: seq }
}

function messageOf(seq: number): ReceivedEvent {
  return { event: 'message', seq }
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

describe('a room feed', () => {
  it('gives a joining member the entries that came meanwhile, after the page that it read', () => {
    const room = new Room()
    room.publish(3)
    const { client, member } = room.client()
    room.publish(4)
    expect(client.received).toEqual([])
    room.feed.goLive(member, 5)
    room.publish(2)
    expect(client.received).toEqual([6, 7, 8, 9].map((seq) => ({ event: 'message', seq })))
    expect(room.delivered).toBe(4)
  })

  it('repeats nothing to a member whose page was ahead of the feed', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 3)
    room.publish(5)
    expect(client.numbers()).toEqual([4, 5])
  })

  it('turns entries beyond the buffer limit during a join into a gap', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.publish(BUFFERED_MAX + 5)
    room.feed.goLive(member, 10)
    room.publish()
    expect(client.numbers()).toEqual(upTo(11, BUFFERED_MAX + 6))
    expect(client.received.filter((one) => one.event === 'gap')).toEqual([
      { event: 'gap', from: BUFFERED_MAX + 1, to: BUFFERED_MAX + 5 },
    ])
  })

  it('reports a hole in the published entries as a gap', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0)
    room.feed.entries([entry(1), entry(4)])
    expect(client.received).toEqual([
      { event: 'message', seq: 1 },
      { event: 'gap', from: 2, to: 3 },
      { event: 'message', seq: 4 },
    ])
  })

  it('skips a slow member and reports one gap when the member is fast again', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0)
    room.publish(2)
    client.slow = true
    room.publish(3)
    expect(member.state).toBe('slow')
    client.slow = false
    room.publish(1)
    expect(client.numbers()).toEqual([1, 2])
    room.feed.recover(member)
    room.publish(1)
    expect(client.received.slice(2)).toEqual([
      { event: 'gap', from: 3, to: 6 },
      { event: 'message', seq: 7 },
    ])
  })

  it('sends the current presence to a slow or joining member once it is live', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.presence({ joined: [user('a'), user('b')], left: [], count: 2 })
    room.feed.presence({ joined: [user('c')], left: [{ id: 'a' }], count: 2 })
    room.feed.goLive(member, 0)
    expect(client.payloads).toEqual([
      { room: 'lobby', joined: [user('b'), user('c')], left: [{ id: 'a' }], count: 2 },
    ])
    client.slow = true
    room.feed.presence({ joined: [user('d')], left: [], count: 3 })
    expect(member.state).toBe('slow')
    client.slow = false
    room.feed.recover(member)
    expect(client.payloads.at(-1)).toEqual({ room: 'lobby', joined: [user('d')], count: 3 })
  })

  it('sends only the count as presence in a large room', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0)
    room.feed.presence({ joined: [{ id: 'a', name: 'A' }], left: [{ id: 'b' }], count: 501 })
    expect(client.payloads).toEqual([{ room: 'lobby', count: 501 }])
  })

  it('sends nothing to a member that has left', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.remove(member)
    room.publish()
    room.feed.goLive(member, 0)
    room.feed.recover(member)
    expect(client.received).toEqual([])
    expect(member.state).toBe('gone')
  })

  it('knows whether a user is in the room with any socket', () => {
    const room = new Room()
    const one = new Client('one')
    const two = new Client('two')
    const first = room.feed.add(one.socket, { id: 'u', name: 'U' })
    const second = room.feed.add(two.socket, { id: 'u', name: 'U' })
    room.feed.remove(second)
    expect(room.feed.hasUser('u')).toBe(true)
    room.feed.remove(first)
    expect(room.feed.hasUser('u')).toBe(false)
  })

  it('delivers everything once and in order, in any order of events', () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 4 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constantFrom('slow', 'fast', 'rejoin', 'live'), who: fc.nat(2) }),
      },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const room = new Room()
        const seats = [room.client(), room.client(), room.client()]
        /** Per client: the head that each page covers, and the number of events received before it. */
        const pages = seats.map(() => [] as { at: number; upTo: number }[])
        const live = (index: number) => {
          const seat = seats[index]
          if (seat?.member.state !== 'joining') return
          pages[index]?.push({ at: seat.client.received.length, upTo: room.head })
          room.feed.goLive(seat.member, room.head)
        }
        for (const one of steps) {
          if ('count' in one) {
            room.publish(one.count)
            continue
          }
          const seat = seats[one.who]
          if (seat === undefined) continue
          if (one.do === 'live') live(one.who)
          else if (one.do === 'rejoin') room.feed.holdBack(seat.member)
          else seat.client.slow = one.do === 'slow'
          if (one.do === 'fast') room.feed.recover(seat.member)
        }
        for (const [index, seat] of seats.entries()) {
          seat.client.slow = false
          while (seat.member.state === 'joining') live(index)
          room.feed.recover(seat.member)
        }
        room.publish()
        for (const [index, { client }] of seats.entries()) {
          let reached = 0
          const remaining = [...(pages[index] ?? [])]
          for (let at = 0; at <= client.received.length; at += 1) {
            while (remaining[0]?.at === at) reached = Math.max(reached, remaining.shift()?.upTo ?? 0)
            const one = client.received[at]
            if (one === undefined || one.event === 'presence' || one.event === 'epoch') continue
            expect(one.event === 'message' ? one.seq : one.from).toBe(reached + 1)
            reached = one.event === 'message' ? one.seq : one.to
          }
          expect(reached).toBe(room.head)
        }
      }),
    )
  })
})

describe('a member that requests a second join before the first is answered', () => {
  it('receives entries from between the two answers after the second, once and without a gap', () => {
    const room = new Room()
    room.publish(10)
    const { client, member } = room.client()
    room.feed.holdBack(member)
    room.feed.goLive(member, 10)
    room.publish()
    expect(client.received).toEqual([])
    room.feed.goLive(member, 10)
    room.publish()
    expect(client.received).toEqual([messageOf(11), messageOf(12)])
  })

  it('receives the entries after the first answer when the second join fails', () => {
    const room = new Room()
    room.publish(10)
    const { client, member } = room.client()
    room.feed.holdBack(member)
    room.feed.goLive(member, 10)
    room.publish(2)
    room.feed.goLive(member, member.sentUpTo)
    expect(client.received).toEqual([messageOf(11), messageOf(12)])
  })
})

describe('a room feed whose log has been replaced', () => {
  const reset = { event: 'epoch', epoch: 'e2', head: 2 }

  it('notifies its members, and delivers the following entries of the new log', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0, 'e1')
    room.publish(5)
    room.reset('e2', 2)
    room.publish()
    expect(client.received.slice(5)).toEqual([reset, messageOf(3)])
    expect(client.payloads[5]).toEqual({ room: 'lobby', epoch: 'e2', head: 2 })
    room.feed.holdBack(member)
    room.publish()
    room.feed.goLive(member, 3, 'e2')
    expect(client.received.slice(7)).toEqual([messageOf(4)])
  })

  it('notifies a member whose join was answered from the old log', () => {
    const room = new Room()
    room.publish(5)
    const { client, member } = room.client()
    room.publish()
    room.reset('e2', 2)
    room.publish()
    expect(client.received).toEqual([])
    room.feed.goLive(member, 5, 'e1')
    expect(client.received).toEqual([reset, messageOf(3)])
  })

  it('sends only the following entries to a member whose join was answered from the new log', () => {
    const room = new Room()
    room.publish(5)
    const { client, member } = room.client()
    room.reset('e2', 2)
    room.publish(2)
    room.feed.goLive(member, 3, 'e2')
    expect(client.received).toEqual([messageOf(4)])
  })

  it('notifies a member whose second join has failed', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0, 'e1')
    room.feed.holdBack(member)
    room.reset('e2', 2)
    room.feed.goLive(member, member.sentUpTo)
    room.publish()
    expect(client.received).toEqual([reset, messageOf(3)])
  })

  it('notifies a slow member when it reads again, before the gap', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0, 'e1')
    room.publish()
    client.slow = true
    room.publish()
    room.reset('e2', 2)
    room.publish()
    client.slow = false
    room.feed.recover(member)
    expect(client.received).toEqual([messageOf(1), reset, { event: 'gap', from: 3, to: 3 }])
  })

  it('waits for a member that cannot receive even the notification', () => {
    const room = new Room()
    const { client, member } = room.client()
    room.feed.goLive(member, 0, 'e1')
    client.slow = true
    room.reset('e2', 2)
    expect(room.slowed).toEqual([member])
    room.publish()
    client.slow = false
    room.feed.recover(member)
    expect(client.received).toEqual([reset, { event: 'gap', from: 3, to: 3 }])
  })
})
