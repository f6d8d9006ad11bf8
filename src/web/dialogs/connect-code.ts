/** Example programs that connect to this server. Pure. */

export interface ConnectCodeOptions {
  /** The directory of the page. */
  readonly base: URL
  readonly room: string
  /** The server requires a token. */
  readonly withToken: boolean
  /** Where an application has mounted the chat. */
  readonly place?: { readonly namespace: string; readonly socket: { readonly path: string } } | undefined
}

export function clientCode({ base, room, withToken, place }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  const url = place !== undefined || base.pathname === '/' ? base.origin : base.href
  const where =
    place === undefined
      ? ''
      : `\n  namespace: '${place.namespace}',\n  socket: { path: '${place.socket.path}' },`
  return `import { connectChat } from 'rookery/client'

const chat = connectChat({
  url: '${url}',${where}
  auth: ${auth},
})
const room = chat.join('${room}')

room.on('message', ({ from, text }) => console.log(from.name, text))
room.send('Hello, everybody')`
}

export function stockCode({ base, room, withToken, place }: ConnectCodeOptions): string {
  const auth = withToken ? "{ token: '…' }" : "{ name: 'Bot' }"
  const ownPath = base.pathname === '/' ? undefined : `${base.pathname}socket.io/`
  const socketPath = place?.socket.path ?? ownPath
  const path = socketPath === undefined ? '' : `path: '${socketPath}', `
  const namespace = place === undefined || place.namespace === '/' ? '' : place.namespace
  return `import { io } from 'socket.io-client'

const socket = io('${base.origin}${namespace}', { ${path}auth: ${auth} })

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
