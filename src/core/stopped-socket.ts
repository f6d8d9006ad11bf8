/**
 * Takes a connection out of its `Socket` and stops reading it at once, so that it can be passed to another
 * process without losing a byte. Node offers this only for sockets that a server accepts (`pauseOnConnect`):
 * a socket that came over IPC reads from its start, and `pause` lets it read on into its buffer
 * (nodejs/node#8353). So this uses what `pauseOnConnect` uses: the handle, and the option `pauseOnCreate`.
 */
import { Socket, type SocketConstructorOpts } from 'node:net'

/**
 * @param socket everything that it has buffered has been read, and all that was written has been sent; it is
 * closed without touching the connection
 * @returns the same connection, not being read; undefined if it is closed
 */
export function stoppedSocket(
  socket: Socket,
  options: Pick<SocketConstructorOpts, 'allowHalfOpen'> & { highWaterMark?: number },
): Socket | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (socket.destroyed || typeof handle !== 'object' || handle === null) return undefined
  const paused = { ...options, handle, pauseOnCreate: true, readable: true, writable: true }
  const stopped = new Socket(paused)
  Reflect.set(socket, '_handle', null)
  socket.destroy()
  return stopped
}
