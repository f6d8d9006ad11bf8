/** Opens a listener's port. */
import type { ListenOptions, Server } from 'node:net'

/** @returns the port; the system chooses it if `port` is 0. Later errors go to `onError`. */
export async function listenOn(
  server: Server,
  options: ListenOptions & { port: number },
  onError: (error: Error) => void,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', onError)
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : options.port
}
