/**
 * A host under fuzz, and the check that it is healthy: the same processes, no error in the log, and a working
 * chat.
 */
import { expect } from 'vitest'
import { ChatClient } from '../client/chat-client.ts'
import { type RunningRookery, type StartOptions, startRookery } from '../cluster/cluster.ts'

const ERROR_LEVELS = ['error', 'fatal']

/** Without rate limits: a request above them would be refused unread. */
const UNLIMITED = '1000000'
const env = {
  MESSAGE_RATE: UNLIMITED,
  MESSAGE_BURST: UNLIMITED,
  REQUEST_RATE: UNLIMITED,
  REQUEST_BURST: UNLIMITED,
  ADMISSION_RATE: '0',
  HEAD_TIMEOUT_MS: '2000',
}

export class FuzzedHost {
  readonly rookery: RunningRookery
  readonly #workers: number[]
  #checks = 0

  private constructor(rookery: RunningRookery) {
    this.rookery = rookery
    this.#workers = rookery.workerPids()
  }

  static async start(options: StartOptions = {}): Promise<FuzzedHost> {
    return new FuzzedHost(await startRookery({ ...options, env: { ...env, ...options.env } }))
  }

  /** Primary first. */
  get pids(): number[] {
    return [this.rookery.pid, ...this.#workers]
  }

  /**
   * A stock client on each worker joins, sends and receives its message; no process has exited, no error is
   * logged.
   */
  async expectHealthy(): Promise<void> {
    await this.#chat()
    this.expectUnharmed()
  }

  expectUnharmed(): void {
    expect(this.rookery.process.exitCode).toBe(null)
    expect(this.rookery.workerPids()).toEqual(this.#workers)
    expect(this.complaints()).toEqual([])
    // It is contained, but a fault of the chat.
    expect(this.rookery.log('an error in the application')).toBeUndefined()
  }

  /** Log lines at `error` and above, and output that is not a log line. */
  complaints(): unknown[] {
    const lines = this.rookery.logs.filter(({ level }) => ERROR_LEVELS.includes(String(level)))
    return [...lines, ...this.rookery.otherOutput]
  }

  async #chat(): Promise<void> {
    this.#checks += 1
    const served = new Set<string>()
    const clients: ChatClient[] = []
    for (let index = 0; served.size < this.#workers.length; index += 1) {
      if (index > 100) throw new Error(`only ${[...served].join()} took connections`)
      const client = await ChatClient.guest(this.rookery.url, `healthy-${index}`)
      clients.push(client)
      served.add(client.welcome.worker)
    }
    const room = `healthy-${this.#checks}`
    await Promise.all(clients.map((client) => client.join(room)))
    const sent = await Promise.all(clients.map((client, index) => client.send(room, `m${index}`)))
    const lastSeq = Math.max(...sent.map(({ seq }) => seq))
    await Promise.all(clients.map((client) => client.next('message', ({ seq }) => seq === lastSeq)))
    for (const client of clients) client.close()
  }

  stop(): Promise<number | null> {
    return this.rookery.stop()
  }
}
