/** One HTTP exchange over a bare TCP connection, with the request split and timed by the test. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  status: number
  headers: Map<string, string>
  body: string
}

export async function openRaw(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Writes each piece in its own turn of the event loop, and reads until the other side closes. */
export async function exchange(port: number, ...pieces: (string | Buffer)[]): Promise<RawAnswer> {
  const socket = await openRaw(port)
  const answer = readToEnd(socket)
  for (const piece of pieces) {
    if (socket.destroyed) break
    await new Promise((resolve) => socket.write(piece, resolve))
    await new Promise(setImmediate)
  }
  return parseAnswer(await answer)
}

/** Everything until the end or a reset of the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.on('error', () => resolve())
  })
  return Buffer.concat(chunks).toString('latin1')
}

/** @throws unless it is one well-formed answer whose body has the declared length */
export function parseAnswer(text: string): RawAnswer {
  const match = /^HTTP\/1\.1 ([0-9]{3}) [^\r\n]+\r\n((?:[^\r\n:]+: [^\r\n]*\r\n)*)\r\n/.exec(text)
  if (match === null) throw new Error(`no answer: ${JSON.stringify(text.slice(0, 200))}`)
  const headers = new Map(
    (match[2] ?? '')
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const body = text.slice(match[0].length)
  const length = headers.get('content-length')
  if (length !== undefined && Number(length) !== body.length) {
    throw new Error(`a body of ${body.length} bytes instead of ${length}`)
  }
  return { status: Number(match[1]), headers, body }
}
