/** A path by which a Unix socket can be reached, however long its own path is. */
import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Accepted by every system. Linux truncates paths after 107 bytes. */
const LONGEST_PATH_BYTES = 103
const OWN_DESCRIPTORS = '/proc/self/fd'

/**
 * Calls `use` with a path to the same file that is short enough for a socket. The path is valid during the
 * call only.
 * @throws if the directory can't be opened, or the path is too long and the system knows no other way
 */
export function withShortPath<T>(path: string, use: (short: string) => T): T {
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return use(path)
  if (!existsSync(OWN_DESCRIPTORS)) throw new Error(`${path} is too long for a socket`)
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return use(`${OWN_DESCRIPTORS}/${directory}/${basename(path)}`)
  } finally {
    closeSync(directory)
  }
}
