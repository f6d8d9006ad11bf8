/** The redis-server of a target: on a fixed port, with optional persistence, and with its figures. */
import { Redis } from 'ioredis'
import { startRedis, type TestRedis } from '../../test/harness/redis/redis.ts'
import type { RedisResources } from '../model/resources.ts'
import type { ServerProcess } from '../model/server-process.ts'
import { FaultMissed, type RedisFigures } from '../model/target.ts'
import { isRunning } from '../system/processes.ts'
import { fixedPort } from './fixed-port.ts'
import { OWN_SESSION } from './launch-prefix.ts'
import { redisFiguresFrom } from './redis-info.ts'
import { resourcesOf } from './redis-resources.ts'
import { needProgram } from './requirements.ts'

const ADDRESS = '127.0.0.1'
/** A stopped server has no figures. */
const ANSWER_MS = 500

/** `no`: no persistence. */
export type Appendfsync = 'always' | 'everysec' | 'no'

/** @throws for another word */
export function appendfsyncFrom(word: string): Appendfsync {
  if (word === 'always' || word === 'everysec' || word === 'no') return word
  throw new Error(`REDIS_APPENDFSYNC is always, everysec or no, not '${word}'`)
}

export class RedisServer {
  readonly #redis: TestRedis
  readonly #pids: number[]
  readonly #expectedExits = new Set<number>()
  /** Bytes that this process sent in response to `figures()`. */
  #answeredBytes = 0

  private constructor(redis: TestRedis) {
    this.#redis = redis
    this.#pids = [redis.pid]
  }

  static async start(appendfsync: Appendfsync): Promise<RedisServer> {
    needProgram('redis-server', 'install Redis 7 or newer (Debian: apt-get install redis-server)')
    needProgram('redis-cli', 'install the tools of Redis (Debian: apt-get install redis-tools)')
    const port = await fixedPort(ADDRESS)
    const kept = appendfsync === 'no' ? {} : { appendonly: appendfsync }
    return new RedisServer(await startRedis({ ...kept, port, host: ADDRESS, within: OWN_SESSION }))
  }

  get url(): string {
    return this.#redis.url
  }

  get port(): number {
    return this.#redis.port
  }

  get isUp(): boolean {
    return isRunning(this.#redis.pid)
  }

  /** The lines of the response. */
  async ask(...command: string[]): Promise<string[]> {
    return (await this.#redis.cli(...command)).split('\n')
  }

  async kill(): Promise<void> {
    this.#expectedExits.add(this.#redis.pid)
    await this.#redis.kill()
  }

  /** Graceful: it writes its data first. */
  async terminate(): Promise<void> {
    this.#mustRun()
    this.#expectedExits.add(this.#redis.pid)
    await this.#redis.kill('SIGTERM')
  }

  async startAgain(): Promise<void> {
    if (this.isUp) throw new FaultMissed('Redis is already running')
    await this.#redis.start()
    this.#answeredBytes = 0
    this.#pids.push(this.#redis.pid)
  }

  pause(): void {
    this.#mustRun()
    this.#redis.pause()
  }

  resume(): void {
    this.#mustRun()
    this.#redis.resume()
  }

  /** @param type which connections to end: subscribers, or all others */
  async cut(type: 'pubsub' | 'normal'): Promise<void> {
    this.#mustRun()
    await this.#redis.cli('CLIENT', 'KILL', 'TYPE', type)
  }

  processes(): ServerProcess[] {
    return this.isUp ? [{ pid: this.#redis.pid, role: 'redis', host: 0 }] : []
  }

  unexpectedExits(): string[] {
    const ended = this.#pids.filter((pid) => !isRunning(pid) && !this.#expectedExits.has(pid))
    return ended.map((pid) => `Redis (process ${pid}) exited unexpectedly`)
  }

  tail(): string {
    return this.#redis.output.slice(-2_000)
  }

  /** Excludes the bytes and connection of these requests. Undefined while it does not respond. */
  async figures(): Promise<RedisFigures | undefined> {
    if (!this.isUp) return undefined
    const info = await answerFrom(this.#redis.socketPath, (redis) => redis.info('clients', 'stats'))
    if (info === undefined) return undefined
    const { bytesOut, connections, ...others } = redisFiguresFrom(info)
    const figures = { ...others, bytesOut: bytesOut - this.#answeredBytes, connections: connections - 1 }
    this.#answeredBytes += info.length
    return figures
  }

  /** Undefined while it does not respond. */
  async resources(): Promise<RedisResources | undefined> {
    return this.isUp ? answerFrom(this.#redis.socketPath, resourcesOf) : undefined
  }

  #mustRun(): void {
    if (!this.isUp) throw new FaultMissed('Redis is not running')
  }

  async stop(): Promise<void> {
    await this.kill()
    await this.#redis.stop()
  }
}

/** Uses its own connection over a unix socket, and closes it. */
async function answerFrom<T>(path: string, ask: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const client = new Redis({
    path,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: () => null,
  })
  let broken = false
  client.on('error', () => (broken = true))
  try {
    await client.connect()
    return await ask(client)
  } catch (error) {
    if (broken || (error instanceof Error && /timed out|closed/i.test(error.message))) return undefined
    throw error
  } finally {
    client.disconnect()
  }
}
