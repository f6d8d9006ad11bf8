/** Example programs that connect to this server. Pure. */

export interface ConnectCodeOptions {
  /** The directory of the page. */
  readonly base: URL
  readonly room: string
  /** The server requires a token. */
  readonly withToken: boolean
}

export function clientCode({ base, room, withToken }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  return `import { connectChat } from 'rookery/client'

const chat = connectChat({
  url: '${base.pathname === '/' ? base.origin : base.href}',
  auth: ${auth},
})
const room = chat.join('${room}')

room.on('message', ({ from, text }) => console.log(from.name, text))
room.send('Hello, everybody')`
}

export function stockCode({ base, room, withToken }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  const path = base.pathname === '/' ? '' : `path: '${base.pathname}socket.io/', `
  return `import { io } from 'socket.io-client'

const socket = io('${base.origin}', { ${path}auth: ${auth} })

socket.on('message', ({ from, text }) => console.log(from.name, text))

const { epoch, head, messages } = await socket.emitWithAck('room:join', {
  room: '${room}',
})
await socket.emitWithAck('message:send', {
  room: '${room}',
  id: crypto.randomUUID(),
  text: 'Hello, everybody',
})`
}
