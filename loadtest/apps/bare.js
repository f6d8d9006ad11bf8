/**
 * The same as bench.js without Socket.IO: JSON texts over the plain WebSockets of one process. The lower
 * bound of a comparison: it has no heartbeat, no fallback, and no second process.
 */
export default (server) => {
  const rooms = new Map()

  const join = (socket, room) => {
    if (!rooms.has(room)) rooms.set(room, new Set())
    rooms.get(room).add(socket)
  }
  const leave = (socket, room) => {
    const members = rooms.get(room)
    members?.delete(socket)
    if (members?.size === 0) rooms.delete(room)
  }
  const publish = ({ room, id, text }) => {
    const message = JSON.stringify({ event: 'message', payload: { room, id, text } })
    for (const member of rooms.get(room) ?? []) member.send(message)
  }

  server.on('connection', (socket) => {
    const own = new Set()
    const requests = {
      join: (payload) => {
        for (const room of payload.rooms) {
          own.add(room)
          join(socket, room)
        }
      },
      leave: (payload) => {
        for (const room of payload.rooms) {
          own.delete(room)
          leave(socket, room)
        }
      },
      publish,
    }
    socket.on('message', (data) => {
      const { event, payload, ref } = JSON.parse(data)
      requests[event](payload)
      socket.send(JSON.stringify({ ref, ack: { ok: true } }))
    })
    socket.on('close', () => {
      for (const room of own) leave(socket, room)
    })
    socket.on('error', () => socket.terminate())
  })
}
