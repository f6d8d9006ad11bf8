/**
 * Joins a client's connection and one to the owner of its session: what comes on one goes out on the other, at the pace
 * of the slower side. It holds at most what the two sockets buffer, and looks at none of it.
 */
import type { Socket } from 'node:net'

export interface SpliceOptions {
  client: Socket
  owner: Socket
  /** When nothing moves on one of them for so long, both are closed. */
  idleMs: number
  onIdle: () => void
  onOwnerError: (error: Error) => void
  /** Both are closed. */
  onClosed: () => void
}

/**
 * The client's end of sending is passed on, and it is the owner who decides what becomes of the connection: when the owner
 * has ended, the client gets what is left and is closed.
 */
export function splice({ client, owner, idleMs, onIdle, onOwnerError, onClosed }: SpliceOptions): void {
  let open = 2
  const onClose = (other: () => void) => () => {
    other()
    open -= 1
    if (open === 0) onClosed()
  }
  const onTimeout = () => {
    onIdle()
    client.destroy()
    owner.destroy()
  }
  client.allowHalfOpen = true
  client.once(
    'close',
    onClose(() => owner.destroy()),
  )
  owner.once(
    'close',
    onClose(() => (owner.readableEnded ? client.destroySoon() : client.destroy())),
  )
  owner.on('error', onOwnerError)
  owner.once('end', () => client.destroySoon())
  for (const socket of [client, owner]) socket.setTimeout(idleMs).once('timeout', onTimeout)
  client.pipe(owner)
  owner.pipe(client, { end: false })
}
