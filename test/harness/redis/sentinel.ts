/** A master, a replica and three Sentinels that agree about them. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../network/free-port.ts'
import { until } from '../until.ts'
import { startRedis, TestRedis } from './redis.ts'

const SENTINELS = 3

export class TestSentinel {
  readonly name = 'chat'
  readonly servers: readonly TestRedis[]
  readonly sentinels: readonly TestRedis[]

  constructor(servers: readonly TestRedis[], sentinels: readonly TestRedis[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  /** In the format of REDIS_SENTINELS. */
  get addresses(): string {
    return this.sentinels.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  /** The master as a Sentinel reports it. */
  async master(): Promise<TestRedis> {
    const answer = await this.#ask('sentinel', 'get-master-addr-by-name', this.name)
    const port = Number(answer.split('\n')[1])
    const master = this.servers.find((server) => server.port === port)
    if (master === undefined) throw new Error(`the Sentinels name an unknown master: ${answer}`)
    return master
  }

  /** A planned fail-over; resolves when all Sentinels name another master. */
  async failOver(): Promise<void> {
    const before = await this.master()
    await this.#ask('sentinel', 'failover', this.name)
    await until(async () => (await this.master()) !== before, 'the Sentinels name another master')
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()))
  }

  #ask(...args: string[]): Promise<string> {
    const [first] = this.sentinels
    if (first === undefined) throw new Error('no Sentinel')
    return first.cli(...args)
  }
}

export async function startSentinel(
  options: { password?: string; host?: string } = {},
): Promise<TestSentinel> {
  const { password, host = '127.0.0.1' } = options
  const secrets: Record<string, string> =
    password === undefined ? {} : { requirepass: password, masterauth: password }
  const master = await startRedis({ host, config: { 'repl-diskless-sync-delay': '0', ...secrets } })
  const replica = await startRedis({
    host,
    config: { replicaof: `${master.host} ${master.port}`, 'repl-diskless-sync-delay': '0', ...secrets },
  })
  const sentinels: TestRedis[] = []
  for (let index = 0; index < SENTINELS; index += 1) sentinels.push(await startOne(master, password))
  const whole = new TestSentinel([master, replica], sentinels)
  await until(() => allKnown(sentinels, whole.name), 'the Sentinels know each other and the replica')
  return whole
}

async function startOne(master: TestRedis, password: string | undefined): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-sentinel-'))
  const lines = [
    `sentinel monitor chat ${master.host} ${master.port} 2`,
    'sentinel down-after-milliseconds chat 1000',
    'sentinel failover-timeout chat 5000',
    ...(password === undefined ? [] : [`sentinel auth-pass chat ${password}`]),
  ]
  await writeFile(join(directory, 'sentinel.conf'), `${lines.join('\n')}\n`)
  const sentinel = new TestRedis({ sentinel: true, host: master.host }, await freePort(), directory)
  await sentinel.start()
  return sentinel
}

async function allKnown(sentinels: readonly TestRedis[], name: string): Promise<boolean> {
  const views = await Promise.all(sentinels.map((sentinel) => sentinel.cli('sentinel', 'master', name)))
  return views.every((view) => {
    const fields = view.split('\n')
    const valueOf = (field: string) => fields[fields.indexOf(field) + 1]
    return valueOf('num-slaves') === '1' && valueOf('num-other-sentinels') === String(SENTINELS - 1)
  })
}
