/** Example programs that connect to this server. Pure. */

export interface ConnectCodeOptions {
  readonly url: string
  readonly room: string
  /** The server requires a token. */
  readonly withToken: boolean
}

export function clientCode({ url, room, withToken }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  return `import { connectChat } from 'rookery/client'

const chat = connectChat({
  url: '${url}',
  auth: ${auth},
})
const room = chat.join('${room}')

room.on('message', ({ from, text }) => console.log(from.name, text))
room.send('Hello, everybody')`
}

export function stockCode({ url, room, withToken }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  return `import { io } from 'socket.io-client'

const socket = io('${url}', { auth: ${auth} })

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
