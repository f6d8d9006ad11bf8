/**
 * A dashboard of who is where. Rooms are durable: their log survives restarts, and each worker gets its entries in order
 * and without gaps. Presence counts a user once, whatever the number of tabs, workers and hosts.
 */
import { readFile } from 'node:fs/promises'
import type { App, Author, LogEntry, PresenceChange, RoomMembers } from 'rookery'

const ROOMS = ['lobby', 'sales', 'support']
const PAGE = await readFile(new URL('page.html', import.meta.url), 'utf8')

interface FromClients {
  enter: (room: string, user: Author, answer: (members: RoomMembers) => void) => void
  note: (room: string, id: string, text: string, answer: (seq: number) => void) => void
}
interface ToClients {
  people: (room: string, change: PresenceChange) => void
  notes: (room: string, notes: readonly LogEntry[]) => void
}
interface Data {
  user?: Author
}

const app: App<FromClients, ToClients, object, Data> = async (io, { http, rooms }) => {
  http.get('/', (c) => c.html(PAGE))

  // Every worker follows every room, and passes what happens there to its own sockets.
  const following = ROOMS.map((room) =>
    rooms.open(room, {
      entries: (entries) => io.local.emit('notes', room, entries),
      presence: ({ joined, left, count }) => io.local.emit('people', room, { joined, left, count }),
    }),
  )
  await Promise.all(following)

  io.on('connection', async (socket) => {
    socket.on('enter', async (room, user, answer) => {
      socket.data.user = user
      socket.once('disconnect', () => rooms.leave(room, user.id, socket.id))
      answer(await rooms.enter(room, user, socket.id))
    })
    // The id makes it harmless to send a note twice. The answer is: it is stored.
    socket.on('note', async (room, id, text, answer) => {
      const { user } = socket.data
      if (user === undefined) return
      const { seq } = await rooms.append(room, { kind: 'text', id, from: user, text })
      answer(seq)
    })
    for (const room of ROOMS) {
      const { members, count } = await rooms.members(room)
      socket.emit('people', room, { joined: members, left: [], count })
      const { entries } = await rooms.read(room, { newest: true, limit: 20 })
      socket.emit('notes', room, entries)
    }
  })
}

export default app
