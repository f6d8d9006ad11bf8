/**
 * Where the Unix sockets of a host lie: in its data directory, which nothing tidies up, and which all
 * processes that could use the data can see, also those in other containers. Some disks hold no sockets
 * (full, read-only, some shared ones): then they lie in a directory of TMPDIR that follows from the data
 * directory.
 */
import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SocketFile } from '../core/socket-file.ts'
import { noSocket } from './exit-codes.ts'

/** @returns the directories in the order in which they should be used */
export async function socketDirectories(dataDir: string): Promise<[own: string, other: string]> {
  const own = await realpath(dataDir)
  return [own, join(tmpdir(), `rookery-${ownUid()}`, digest(own))]
}

/**
 * Listens in the first directory that takes a socket.
 * @throws ExitError `workersSocket` if none does
 */
export async function listenIn(
  [own, other]: readonly [string, string],
  name: string,
  server: Server,
): Promise<SocketFile> {
  try {
    return await SocketFile.listen(server, join(own, name))
  } catch {
    // The second directory's error has more to say: there the user can choose.
  }
  const path = join(other, name)
  try {
    await makePrivate(join(other, '..'))
    await mkdir(other, { recursive: true, mode: 0o700 })
    return await SocketFile.listen(server, path)
  } catch (error) {
    throw noSocket(path, error)
  }
}

/** Paths of the sockets with such a name, of this or an earlier process. */
export async function socketsIn([own, other]: readonly [string, string], name: RegExp): Promise<string[]> {
  const isOurs = await isPrivate(join(other, '..'))
  const found = await Promise.all([namesIn(own, name), isOurs ? namesIn(other, name) : []])
  return found.flat()
}

async function namesIn(directory: string, name: RegExp): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names.filter((each) => name.test(each)).map((each) => join(directory, each))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Removes a socket that belongs to no process any more. A read-only disk keeps it, and nobody minds. */
export async function removeStale(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined)
}

/**
 * A directory that only this user can enter: a process that reaches a socket could pretend to be a worker.
 */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (!(await isPrivate(directory)))
    throw new Error(`${directory} must be a directory that belongs to this user alone (mode 700)`)
}

async function isPrivate(directory: string): Promise<boolean> {
  try {
    const found = await lstat(directory)
    return found.isDirectory() && found.uid === ownUid() && (found.mode & 0o077) === 0
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function ownUid(): number {
  return process.getuid?.() ?? 0
}
