/** The Unix socket of this host's link. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:net'
import type { SocketFile } from '../../core/socket-file.ts'
import { listenIn, removeStale, socketDirectories, socketsIn } from '../../ops/socket-places.ts'

const LEFT_BEHIND = /^\.?link-[0-9a-f]{8}\.sock$/

/**
 * Listens for the workers. Only the process that has claimed the data directory may call this: it removes the
 * sockets of earlier ones.
 * @throws ExitError `workersSocket` if no socket can be made
 */
export async function listenForWorkers(dataDir: string, server: Server): Promise<SocketFile> {
  const directories = await socketDirectories(dataDir)
  for (const path of await socketsIn(directories, LEFT_BEHIND)) await removeStale(path)
  return listenIn(directories, `link-${randomBytes(4).toString('hex')}.sock`, server)
}
