/** A rolling restart of two machines, each with its own pm2 and address, while clients write. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'
import { Conversation } from '../harness/members/conversation.ts'
import { Member } from '../harness/members/member.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { freePort } from '../harness/network/free-port.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const PM2 = join(ROOT, 'node_modules', '.bin', 'pm2')

/** All of 127.0.0.0/8 is loopback. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2']

class Machine {
  readonly address: string
  readonly home: string
  readonly #env: Record<string, string>

  constructor(address: string, home: string, env: Record<string, string>) {
    this.address = address
    this.home = home
    this.#env = env
  }

  async pm2(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(PM2, args, { cwd: this.home, env: this.#env })
    if (code !== 0) throw new Error(`pm2 ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
    return stdout
  }

  /** The process as pm2 sees it. */
  async seen(): Promise<{ pid: number; status: string }> {
    const output = await this.pm2('jlist')
    const [app] = JSON.parse(output.slice(output.indexOf('[{'))) as {
      pid: number
      pm2_env: { status: string }
    }[]
    if (app === undefined) throw new Error('pm2 knows no application')
    return { pid: app.pid, status: app.pm2_env.status }
  }
}

let redis: TestRedis
let port: number
const machines: Machine[] = []

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'always' })
  port = await freePort()
  for (const address of ADDRESSES) {
    const home = await mkdtemp(join(tmpdir(), 'rookery-pm2-'))
    const env = {
      ...UNLIMITED_RATES,
      PM2_HOME: join(home, 'pm2'),
      PM2_DISABLE_VERSION_CHECK: 'true',
      PORT: String(port),
      HOST: address,
      ADVERTISE_HOST: address,
      HOST_NAME: `machine-${address}`,
      ADMIN_PORT: '0',
      WORKERS: '1',
      DRAIN_MS: '1000',
      DATA_DIR: join(home, 'data'),
      REDIS_URL: redis.url,
      CLUSTER_SECRET: 'a secret of more than thirty-two bytes',
    }
    machines.push(new Machine(address, home, env))
  }
})

afterAll(async () => {
  for (const machine of machines) {
    await machine.pm2('kill')
    await rm(machine.home, { recursive: true, force: true })
  }
  await redis.stop()
})

const isReady = async ({ address }: Machine) =>
  (await fetch(`http://${address}:${port}/readyz`)).status === 200

test('nothing is lost, and each host accepts connections when pm2 says so', async () => {
  for (const machine of machines) {
    await machine.pm2('start', join(ROOT, 'ecosystem.config.js'))
    expect(await isReady(machine)).toBe(true)
  }
  const balancer = await RealBalancer.start(
    'haproxy.cfg',
    ADDRESSES.map((address) => `${address}:${port}`),
  )
  const members = [['polling'], ['polling', 'websocket'], ['websocket'], ['websocket']].map(
    (transports, n) => new Member(balancer.url, 'lobby', `m${n}`, { transports }),
  )
  try {
    await Promise.all(members.map((member) => member.joined()))
    const conversation = new Conversation(members)
    await conversation.goesOn()
    for (const machine of machines) {
      const before = await machine.seen()
      await machine.pm2('restart', 'rookery')
      const after = await machine.seen()
      expect([after.status, after.pid === before.pid]).toEqual(['online', false])
      expect(await isReady(machine)).toBe(true)
      await conversation.goesOn()
    }
    expect(await conversation.end()).toBeGreaterThan(20)
    expect(members.every(({ disconnects }) => disconnects > 0)).toBe(true)
  } finally {
    for (const member of members) member.close()
    await balancer.stop()
  }
}, 300_000)
