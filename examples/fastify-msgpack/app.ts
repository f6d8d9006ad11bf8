/** Fastify beside Socket.IO. Packets are MessagePack: binary data travels inside them. Clients need the same parser. */
import fastify from 'fastify'
import type { App, AppOptions } from 'rookery'
import parser from 'socket.io-msgpack-parser'

interface Measurement {
  sensor: string
  values: number[]
}
interface FromClients {
  watch: (sensor: string, answer: (watching: number) => void) => void
  frame: (sensor: string, pixels: Uint8Array) => void
}
interface ToClients {
  measured: (measurement: Measurement) => void
  frame: (sensor: string, pixels: Uint8Array) => void
}

export const options: AppOptions = { parser }

const body = {
  type: 'object',
  required: ['values'],
  properties: { values: { type: 'array', maxItems: 1_000, items: { type: 'number' } } },
}

const app: App<FromClients, ToClients> = (io, { mount, onStop }) => {
  const site = fastify()
  site.post<{ Params: { sensor: string }; Body: Pick<Measurement, 'values'> }>(
    '/measurements/:sensor',
    { schema: { body } },
    async ({ params: { sensor }, body: { values } }, reply) => {
      io.to(sensor).emit('measured', { sensor, values })
      return reply.code(202).send({ accepted: values.length })
    },
  )
  mount(site)
  onStop(() => site.close())

  io.on('connection', (socket) => {
    socket.on('watch', async (sensor, answer) => {
      await socket.join(sensor)
      answer((await io.in(sensor).fetchSockets()).length)
    })
    socket.on('frame', (sensor, pixels) => socket.to(sensor).emit('frame', sensor, pixels))
  })
}

export default app
