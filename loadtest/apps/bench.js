/**
 * What every Socket.IO server of a comparison runs: rooms, and broadcasts that are not stored. It runs
 * unchanged with `rookery start --app` and in the documented setups, so it must use nothing that only some of
 * them have.
 */
export default (io) => {
  io.on('connection', (socket) => {
    socket.on('join', async ({ rooms }, done) => {
      await socket.join(rooms)
      done({ ok: true })
    })
    socket.on('leave', async ({ rooms }, done) => {
      await Promise.all(rooms.map((room) => socket.leave(room)))
      done({ ok: true })
    })
    socket.on('publish', ({ room, id, text }, done) => {
      io.to(room).emit('message', { room, id, text })
      done({ ok: true })
    })
  })
}
