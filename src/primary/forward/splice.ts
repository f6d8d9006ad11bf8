/**
 * Joins the client's connection with the connection to the owner of its session, in both directions and with
 * back-pressure. Buffers no more than the two sockets do. Does not parse any byte.
 */
import type { Socket } from 'node:net'

export interface SpliceOptions {
  client: Socket
  owner: Socket
  /** If one of them is idle for this long, both are closed. */
  idleMs: number
  onIdle: () => void
  onOwnerError: (error: Error) => void
  /** Both are closed. */
  onClosed: () => void
}

/**
 * The client's end is passed on to the owner, which decides when the connection closes: after the owner has
 * ended, the client gets the remaining bytes and is closed.
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
