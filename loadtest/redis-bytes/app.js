/** What both setups run: rooms, and broadcasts through the server. */
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
