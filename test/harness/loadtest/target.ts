/**
 * Targets of the load tests in tests: started by name, with stock clients on them. `stop()` stops everything
 * that was started.
 */
import { io, type Socket } from 'socket.io-client'
import { onTestFinished } from 'vitest'
import type { RunningTarget, TargetOptions, TargetShape } from '../../../loadtest/model/target.ts'
import { targets } from '../../../loadtest/targets/index.ts'
import { until } from '../until.ts'

const ROOM = 'room'

/** Stops when the test has finished. */
export async function startTestTarget(...what: Parameters<typeof TestTarget.start>): Promise<TestTarget> {
  const target = await TestTarget.start(...what)
  onTestFinished(() => target.stop())
  return target
}

export class TestTarget {
  readonly running: RunningTarget
  readonly #sockets: Socket[] = []

  private constructor(running: RunningTarget) {
    this.running = running
  }

  static async start(
    name: string,
    shape: TargetShape,
    more: Partial<TargetOptions> = {},
  ): Promise<TestTarget> {
    const found = targets.find((each) => each.name === name)
    const [dialect = 'bench'] = found?.dialects.filter((each) => each !== 'chat') ?? []
    const options = { shape, dialect, env: {}, urls: [], needs: [], progress: () => {}, ...more }
    const running = await found?.start(options)
    if (running === undefined) throw new Error(`there is no target ${name}`)
    return new TestTarget(running)
  }

  /** The processes of one role, or all. */
  pids(role?: string): number[] {
    const wanted = this.running.processes().filter((each) => role === undefined || each.role === role)
    return wanted.map(({ pid }) => pid)
  }

  /** Stock clients, all in one room, spread over all urls. */
  async members(count: number, transports = ['websocket']): Promise<Socket[]> {
    const urls = this.running.urls.flat()
    const all: Socket[] = []
    for (let n = 0; n < count; n += 1) {
      // One after another, so that servers that balance by the number of clients know the previous one.
      const url = urls[n % urls.length] ?? ''
      const socket = io(url, { transports, forceNew: true, reconnectionDelayMax: 1_000 })
      all.push(socket)
      this.#sockets.push(socket)
      await join(socket)
    }
    return all
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.disconnect()
    await this.running.stop()
  }
}

/**
 * @socket.io/sticky loses the first packets of some connections: such a client would notice after 45 s and is
 * reconnected here.
 */
async function join(socket: Socket): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer: unknown = await socket.timeout(3_000).emitWithAck('join', { rooms: [ROOM] })
      if (JSON.stringify(answer) !== '{"ok":true}') throw new Error('a join was refused')
      return
    } catch (error) {
      if (tries === 10) throw error
      socket.disconnect().connect()
    }
  }
}

/**
 * Each client publishes once; resolves when all clients have received all messages. @param mark prefix of the
 * ids
 */
export async function exchange(all: readonly Socket[], mark: string): Promise<void> {
  const heard = all.map(() => new Set<string>())
  all.forEach((socket, n) => {
    socket.on('message', ({ room, id }: { room: string; id: string }) => {
      if (room === ROOM && id.startsWith(mark)) heard[n]?.add(id)
    })
  })
  for (const [n, socket] of all.entries())
    await socket.emitWithAck('publish', { room: ROOM, id: `${mark}-${n}`, text: 'text' })
  await until(
    () => heard.every(({ size }) => size === all.length),
    'all clients have all messages',
    () => heard.map(({ size }) => size).join(' '),
  )
}
