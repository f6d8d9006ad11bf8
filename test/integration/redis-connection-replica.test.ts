/** Plain replication, without Sentinels: `FAILOVER` makes the server at a host's address a replica. */
import { expect, it, onTestFinished } from 'vitest'
import { Network } from '../harness/network/proxy.ts'
import { readyTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import type { RedisHost } from '../harness/redis/host-connection.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const CHANNEL = 'rookery:{rookery}:test'

async function pair(): Promise<{ master: TestRedis; replica: TestRedis }> {
  const config = { 'repl-diskless-sync-delay': '0' }
  const master = await startTestRedis({ config })
  const replica = await startTestRedis({ config: { ...config, replicaof: `${master.host} ${master.port}` } })
  await until(
    async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'),
    'the replica has copied its master',
  )
  return { master, replica }
}

async function failOver(from: TestRedis): Promise<void> {
  await until(async () => (await from.cliResult('failover')).stdout.startsWith('OK'), 'the fail-over begins')
  await until(
    async () => (await from.cli('info', 'replication')).includes('role:slave'),
    'the master is a replica',
  )
}

async function untilReplicaIsSaid(host: RedisHost, master: TestRedis): Promise<void> {
  await until(
    () => host.lines.some(({ reason }) => String(reason).endsWith(`a replica of 127.0.0.1:${master.port}`)),
    'the log says what has happened',
    () => JSON.stringify(host.lines.slice(-3)),
  )
}

it('it is said with the way out, and over when the server is the master again', async () => {
  const { master, replica } = await pair()
  const host = await readyTestConnection({ REDIS_URL: master.url })
  await failOver(master)
  await untilReplicaIsSaid(host, replica)
  const line = host.lines.find(({ reason }) => String(reason).includes('replica'))
  expect(line?.['hint']).toContain('REDIS_SENTINELS')
  expect(host.health.commands).not.toBeNull()
  await failOver(replica)
  await host.untilWell()
  expect(await host.connection.run((commands) => commands.set('x', 'y'))).toBe('OK')
})

it('behind a name that leads to the new master, commands and subscriptions move there by themselves', async () => {
  const { master, replica } = await pair()
  const network = await Network.to(master.port)
  onTestFinished(() => network.close())
  const host = await readyTestConnection({ REDIS_URL: network.url.replace('http', 'redis') })
  const heard: string[] = []
  await host.connection.subscriptions.subscribe(CHANNEL, (bytes) => heard.push(bytes.toString()))
  network.leadTo(replica.port)
  await failOver(master)
  await until(async () => {
    const published = host.connection.run((commands) => commands.spublish(CHANNEL, 'x'))
    await published.catch(() => 0)
    return heard.length > 0 && (await replica.cli('client', 'list')).includes('ssub=1')
  }, 'the subscription is at the new master')
  await host.untilWell()
  expect(await host.connection.run((commands) => commands.set('x', 'y'))).toBe('OK')
  expect(await replica.cli('get', 'x')).toBe('y')
})
