/** Clients join rooms. Start it with `REDIS_URL=… EMITTER=on`, so that `bot.ts` can write to them. */
import type { App } from 'rookery'

const app: App = (io) => {
  io.on('connection', (socket) => {
    socket.on('join', async (room, answer) => {
      await socket.join(room)
      answer()
    })
  })
}

export default app
