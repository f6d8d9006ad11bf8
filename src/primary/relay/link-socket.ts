/**
 * The Unix socket of this host's link. It also proves that no second primary writes to the same data
 * directory: the path is derived from the directory, and a socket that answers belongs to a live primary.
 */
import { createHash } from 'node:crypto'
import { lstat, mkdir, realpath, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ExitError, noSocket } from '../../ops/exit-codes.ts'

/** Accepted as a socket path by every system. Linux truncates paths after 107 bytes. */
const LONGEST_PATH_BYTES = 103
const SHORT_TMPDIR = '/tmp'

/**
 * @returns the path at which the link may listen
 * @throws ExitError `dataDirectory` if another primary answers there, `workersSocket` if no socket can be
 * made
 */
export async function claimLinkPath(dataDir: string): Promise<string> {
  const name = join(`rookery-${ownUid()}`, `${digest(await realpath(dataDir))}.sock`)
  const wanted = join(tmpdir(), name)
  const path = Buffer.byteLength(wanted) <= LONGEST_PATH_BYTES ? wanted : join(SHORT_TMPDIR, name)
  try {
    await makePrivate(dirname(path))
    return await claim(path, dataDir)
  } catch (error) {
    throw error instanceof ExitError ? error : noSocket(path, error)
  }
}

async function claim(path: string, dataDir: string): Promise<string> {
  if (await answers(path)) {
    throw new ExitError(
      'dataDirectory',
      `DATA_DIR ${dataDir} is used by another Rookery: stop it, or take another`,
    )
  }
  await rm(path, { force: true })
  return path
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

function ownUid(): number {
  return process.getuid?.() ?? 0
}

/**
 * A directory that only this user can enter: a process that reaches the socket could pretend to be a worker.
 */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const found = await lstat(directory)
  if (!found.isDirectory() || found.uid !== ownUid() || (found.mode & 0o077) !== 0)
    throw new Error(`${directory} must be a directory that belongs to this user alone (mode 700)`)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
