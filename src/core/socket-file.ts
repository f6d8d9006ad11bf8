/**
 * A server that listens on a Unix socket, and the file of that socket. Whoever finds the file can connect: it
 * appears only once the server listens. When the file has vanished, the server can listen anew; its
 * connections stay.
 */
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { withShortPath } from './socket-path.ts'

export class SocketFile {
  readonly path: string
  readonly #server: Server
  #inode: number | undefined

  private constructor(server: Server, path: string) {
    this.#server = server
    this.path = path
  }

  /** The name of the file must be used by nobody else. Rejects with the error of the system. */
  static async listen(server: Server, path: string): Promise<SocketFile> {
    const file = new SocketFile(server, path)
    file.#listen()
    if (!server.listening) await once(server, 'listening')
    return file
  }

  isInPlace(): boolean {
    return this.#inode !== undefined && inodeOf(this.path) === this.#inode
  }

  /**
   * Listens anew, within this call. Throws the error of the file system; an error of the socket goes to the
   * server's listeners.
   */
  restore(): void {
    this.#inode = undefined
    this.#server.close()
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    this.#listen()
  }

  /** Removes the file. The server must be closed by its owner. */
  remove(): void {
    if (this.isInPlace()) rmSync(this.path, { force: true })
    this.#inode = undefined
  }

  /** A socket refuses connections until its server listens, and would look left behind: hence the rename. */
  #listen(): void {
    const hidden = join(dirname(this.path), `.${basename(this.path)}`)
    rmSync(hidden, { force: true })
    withShortPath(hidden, (short) => this.#server.listen(short))
    if (!this.#server.listening) return
    chmodSync(hidden, 0o600)
    renameSync(hidden, this.path)
    this.#inode = inodeOf(this.path)
  }
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}
