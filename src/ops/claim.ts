/**
 * The claim on a data directory: a Unix socket in it that answers while its process lives. It reaches across
 * the pid and network namespaces of containers, and no file that was left behind can be mistaken for it.
 *
 * Each process listens under a name of its own, and only then looks for others. Of two that start together at
 * least one sees the other; the one with the lower name goes on.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SocketFile } from '../core/socket-file.ts'
import { withShortPath } from '../core/socket-path.ts'
import { ExitError } from './exit-codes.ts'
import { listenIn, removeStale, socketDirectories, socketsIn } from './socket-places.ts'

const NAME = /^claim-[0-9a-f]{8}\.sock$/
/** A process that is stopped or busy does not answer, and lives. */
const ANSWER_TIMEOUT_MS = 3_000
/** Within it a process that starts has looked for others. */
const START_TIMEOUT_MS = 15_000
const ASK_AGAIN_MS = 50
const MAX_CONNECTIONS = 64
const MAX_ANSWER_CHARS = 512
/** How often a socket is asked that accepts and says nothing: its process may be ending. */
const TRIES = 3
const SILENCE = 'silence'

type State = 'starting' | 'holds'

interface Other {
  name: string
  state: State
  /** Who it is, for people. */
  who: string
}

export class Claim {
  readonly name = 'claim'
  readonly #dataDir: string
  readonly #directories: readonly [string, string]
  readonly #server: Server
  readonly #file: SocketFile
  readonly #state: { now: State }

  private constructor(parts: {
    dataDir: string
    directories: readonly [string, string]
    server: Server
    file: SocketFile
    state: { now: State }
  }) {
    this.#dataDir = parts.dataDir
    this.#directories = parts.directories
    this.#server = parts.server
    this.#file = parts.file
    this.#state = parts.state
  }

  /**
   * @throws ExitError `dataDirectory` if another process has the claim, `workersSocket` if no socket can be
   * made
   */
  static async take(dataDir: string): Promise<Claim> {
    const directories = await socketDirectories(dataDir)
    const state: { now: State } = { now: 'starting' }
    const server = createServer((socket) => answer(socket, state.now))
    server.maxConnections = MAX_CONNECTIONS
    const name = `claim-${randomBytes(4).toString('hex')}.sock`
    const file = await listenIn(directories, name, server)
    // It alone keeps no process alive.
    server.unref()
    const claim = new Claim({ dataDir, directories, server, file, state })
    try {
      await claim.#compete()
    } catch (error) {
      claim.release()
      throw error
    }
    return claim
  }

  isInPlace(): boolean {
    return this.#file.isInPlace()
  }

  /**
   * Makes the socket again after it has vanished.
   * @throws ExitError `dataDirectory` if another process took the claim meanwhile
   */
  async restore(): Promise<void> {
    this.#file.restore()
    const holder = (await this.#others()).find(({ state }) => state === 'holds')
    if (holder !== undefined) throw this.#inUse(holder)
  }

  release(): void {
    this.#file.remove()
    this.#server.close()
  }

  async #compete(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS
    for (;;) {
      const others = await this.#others()
      const [first] = others
      if (first === undefined) break
      const winner = others.find(({ name, state }) => state === 'holds' || name < basename(this.#file.path))
      if (winner !== undefined) throw this.#inUse(winner)
      if (performance.now() > deadline) throw this.#inUse(first)
      await delay(ASK_AGAIN_MS)
    }
    this.#state.now = 'holds'
  }

  async #others(): Promise<Other[]> {
    const paths = await socketsIn(this.#directories, NAME)
    const asked = await Promise.all(paths.filter((path) => path !== this.#file.path).map(ask))
    return asked.filter((other) => other !== undefined)
  }

  #inUse({ state, who }: Other): ExitError {
    const starts = state === 'starting' ? ', which is starting' : ''
    const message = `DATA_DIR ${this.#dataDir} is used by ${who}${starts}: stop it, or take another directory`
    return new ExitError('dataDirectory', message)
  }
}

function answer(socket: Socket, state: State): void {
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy())
  // The other side has gone: there is nobody to answer.
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.end(`${state} ${process.pid} ${hostname()}\n`)
}

/** @returns undefined if no process is behind it; then the file is removed */
async function ask(path: string): Promise<Other | undefined> {
  const other = { name: basename(path), state: 'holds' as const }
  for (let tries = 0; tries < TRIES; tries += 1) {
    const text = await read(path)
    if (text === 'ENOENT') return undefined
    if (text === 'ECONNREFUSED') {
      await removeStale(path)
      return undefined
    }
    if (text === SILENCE) break
    if (text === 'EACCES' || text === 'EPERM') return { ...other, who: `another user's Rookery (${path})` }
    const [, state, pid, host] = /^(starting|holds) (\d{1,10}) (\S{1,256})\n/.exec(text) ?? []
    if (state !== undefined)
      return { ...other, state: state as State, who: `the Rookery with pid ${pid} on ${host}` }
  }
  return { ...other, who: `a Rookery that does not answer (${path})` }
}

/** @returns what the socket says, or the code of the error */
async function read(path: string): Promise<string> {
  const socket = withShortPath(path, (short) => connect(short))
  let text = ''
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer')))
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    text += part
    if (text.length > MAX_ANSWER_CHARS) socket.destroy()
  })
  try {
    await once(socket, 'close')
    return text
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : SILENCE
  }
}
