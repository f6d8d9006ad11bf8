/** Runs in every worker. `io` reaches the clients of all workers and hosts. */

/** @type {import('rookery').App} */
const app = (io, { http, worker }) => {
  http.get('/', (c) => c.text(`worker ${worker} answers\n`))

  io.on('connection', (socket) => {
    socket.on('join', async (room, done) => {
      await socket.join(room)
      done()
    })
    socket.on('say', (room, text) => {
      io.to(room).emit('said', text, worker)
    })
  })
}

export default app
