/** A server that claims to be Redis of a given version, and answers every command with OK. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface OldRedis {
  readonly url: string
  stop(): Promise<void>
}

/** @param info lines of its answer to INFO, such as `redis_version:6.2.14` */
export async function startOldRedis(...info: string[]): Promise<OldRedis> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      for (const name of commandNames(chunk.toString())) socket.write(answer(name, info))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Commands are short enough to arrive in one piece each. */
function commandNames(text: string): string[] {
  return [...text.matchAll(/\*\d+\r\n\$\d+\r\n([^\r]*)\r\n/g)].map(([, name = '']) => name.toLowerCase())
}

function answer(name: string, info: readonly string[]): string {
  if (name === 'hello') return '%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n'
  if (name === 'ping') return '+PONG\r\n'
  if (name !== 'info') return '+OK\r\n'
  const text = ['# Server', ...info, ''].join('\r\n')
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}
