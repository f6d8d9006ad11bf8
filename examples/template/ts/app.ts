/** Runs in every worker. `io` reaches the clients of all workers and hosts. */
import type { App } from 'rookery'

interface ClientToServer {
  join: (room: string, done: () => void) => void
  say: (room: string, text: string) => void
}

interface ServerToClient {
  said: (text: string, worker: string) => void
}

const app: App<ClientToServer, ServerToClient> = (io, { http, worker }) => {
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
