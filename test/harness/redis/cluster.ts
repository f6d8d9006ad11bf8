/** A real Redis Cluster of a few nodes. A test can move its slots and kill its masters. */
import { run } from '../command.ts'
import { freePort } from '../network/free-port.ts'
import { until } from '../until.ts'
import { startRedis, type TestRedis } from './redis.ts'
import type { TestCertificates } from './tls.ts'

export interface ClusterSize {
  masters?: number
  /** Per master. */
  replicas?: number
  config?: Record<string, string>
  /** The address of all nodes; 127.0.0.1 by default. */
  host?: string
  /** One for each node, masters first. The nodes then speak TLS only. */
  tls?: readonly TestCertificates[]
  /** Names that the nodes announce in place of their addresses. */
  names?: readonly string[]
}

export class TestRedisCluster {
  readonly nodes: readonly TestRedis[]

  constructor(nodes: readonly TestRedis[]) {
    this.nodes = nodes
  }

  /** All nodes, as REDIS_URL takes them. */
  get url(): string {
    return this.nodes.map((node) => node.url).join(',')
  }

  get first(): TestRedis {
    const [first] = this.nodes
    if (first === undefined) throw new Error('a cluster without nodes')
    return first
  }

  /** The node that reports that it owns the slot of `key`. */
  async ownerOf(key: string): Promise<TestRedis> {
    const slot = Number(await this.first.cli('cluster', 'keyslot', key))
    for (const node of this.nodes) {
      const own = (await node.cliResult('cluster', 'nodes')).stdout
        .split('\n')
        .find((line) => line.includes('myself'))
      const slots = own?.split(' ').slice(8) ?? []
      if (slots.some((range) => holds(range, slot)) && own?.includes('master') === true) return node
    }
    throw new Error(`no node owns slot ${slot}`)
  }

  /** The replica of `master`. */
  async replicaOf(master: TestRedis): Promise<TestRedis> {
    const id = await master.cli('cluster', 'myid')
    const lines = (await master.cli('cluster', 'replicas', id)).split('\n')
    const replica = this.nodes.find((node) => lines.some((line) => line.includes(`:${node.port}@`)))
    if (replica === undefined) throw new Error('this master has no replica')
    return replica
  }

  /** Moves the slot of `key`, with its keys, to another master, as `redis-cli --cluster reshard` does. */
  async moveSlotOf(key: string, to: TestRedis): Promise<void> {
    const from = await this.ownerOf(key)
    if (from === to) return
    const slot = await this.first.cli('cluster', 'keyslot', key)
    const [fromId, toId] = [await from.cli('cluster', 'myid'), await to.cli('cluster', 'myid')]
    await to.cli('cluster', 'setslot', slot, 'importing', fromId)
    await from.cli('cluster', 'setslot', slot, 'migrating', toId)
    for (;;) {
      const keys = (await from.cli('cluster', 'getkeysinslot', slot, '100'))
        .split('\n')
        .filter((name) => name !== '')
      if (keys.length === 0) break
      await from.cli('migrate', to.host, String(to.port), '', '0', '10000', 'keys', ...keys)
    }
    await to.cli('cluster', 'setslot', slot, 'node', toId)
    await from.cli('cluster', 'setslot', slot, 'node', toId)
  }

  async isWhole(): Promise<boolean> {
    const states = await Promise.all(this.nodes.map((node) => node.cliResult('cluster', 'info')))
    const living = states.filter(({ code }) => code === 0)
    return living.length > 0 && living.every(({ stdout }) => stdout.includes('cluster_state:ok'))
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }
}

export async function startRedisCluster(size: ClusterSize = {}): Promise<TestRedisCluster> {
  const { masters = 3, replicas = 0, config = {}, host = '127.0.0.1', tls, names } = size
  const nodes: TestRedis[] = []
  for (let index = 0; index < masters * (1 + replicas); index += 1) {
    const bus = {
      'cluster-enabled': 'yes',
      'cluster-port': String(await freePort()),
      'cluster-node-timeout': '1500',
    }
    const certificates = tls?.[index]
    const own = {
      ...bus,
      ...(certificates && { 'tls-cluster': 'yes' }),
      ...nameOf(names?.[index]),
      ...config,
    }
    nodes.push(await startRedis({ host, config: own, ...(certificates && { tls: certificates }) }))
  }
  const cluster = new TestRedisCluster(nodes)
  const addresses = nodes.map(({ port }) => `${host}:${port}`)
  const asked = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes']
  const authority = tls?.[0]?.caFile
  const made = await run('redis-cli', [...(authority ? ['--tls', '--cacert', authority] : []), ...asked])
  if (made.code !== 0) throw new Error(`redis-cli --cluster create: ${made.stdout}${made.stderr}`)
  await until(() => cluster.isWhole(), 'the cluster is whole')
  await until(() => haveCopied(nodes, masters * replicas), 'the replicas have copied their masters')
  return cluster
}

const nameOf = (name: string | undefined): Record<string, string> =>
  name === undefined
    ? {}
    : { 'cluster-announce-hostname': name, 'cluster-preferred-endpoint-type': 'hostname' }

async function haveCopied(nodes: readonly TestRedis[], replicas: number): Promise<boolean> {
  const states = await Promise.all(nodes.map((node) => node.cli('info', 'replication')))
  return states.filter((state) => state.includes('master_link_status:up')).length === replicas
}

function holds(range: string, slot: number): boolean {
  const [from, to = from] = range.split('-').map(Number)
  return from !== undefined && to !== undefined && from <= slot && slot <= to
}
