/** What both set-ups run: rooms, and broadcasts to them through the server. */
export default (io) => {
  io.on('connection', (socket) => {
    socket.on('join', async (room, done) => {
      await socket.join(room)
      done()
    })
    socket.on('say', (room, text, done) => {
      io.to(room).emit('said', text)
      done()
    })
  })
}
