/**
 * A network for the hosts of a test. Each host is in a network namespace with one address towards Redis and the other hosts and
 * one towards the clients, so that either link can be cut alone. Without the right to create namespaces: loopback addresses, and
 * a proxy to Redis that can be cut as well; the output says so.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { run } from '../command.ts'
import { Network } from '../network/proxy.ts'

export interface HostPlace {
  /** Where it listens. */
  listenOn: string
  /** Where clients reach it. */
  address: string
  /** Command prefix of a program that runs there. */
  within: readonly string[]
  /** The URL of Redis as seen from there. */
  redisUrl(redis: { host: string; port: number }): Promise<string>
  /** Nothing gets through between it and Redis or the other hosts, and no side is notified. */
  cut(): Promise<void>
  heal(): Promise<void>
}

export interface HostNetwork {
  /** Address of servers that all hosts reach. */
  readonly gateway: string
  readonly places: readonly HostPlace[]
  close(): Promise<void>
}

const PREFIX = 'rookery-'
const NAMESPACES = '/run/netns'

export async function openHostNetwork(hosts: number): Promise<HostNetwork> {
  const refusal = await namespaceRefusal()
  if (refusal === undefined) return openNamespaces(hosts)
  process.stdout.write(
    `\nNo network namespaces here (${refusal}): the hosts have addresses of loopback instead.\n`,
  )
  return openLoopback(hosts)
}

/** Why namespaces cannot be created. */
async function namespaceRefusal(): Promise<string | undefined> {
  if (process.env['ROOKERY_TEST_LOOPBACK'] !== undefined) return 'ROOKERY_TEST_LOOPBACK is set'
  try {
    await clearLeftovers()
    await ip(`netns add ${PREFIX}${process.pid}-try`)
    await ip(`link add ${bridgeOf(process.pid)}t type bridge`)
    await ip(`link del ${bridgeOf(process.pid)}t`)
    await ip(`netns del ${PREFIX}${process.pid}-try`)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Removes what killed runs left behind. */
async function clearLeftovers(): Promise<void> {
  const names = existsSync(NAMESPACES) ? await readdir(NAMESPACES) : []
  const dead = new Set<string>()
  for (const name of names) {
    const pid = /^rookery-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    dead.add(pid)
    await ipResult(`netns del ${name}`)
  }
  for (const pid of dead) await ipResult(`link del ${bridgeOf(pid)}`)
}

const bridgeOf = (pid: number | string) => `rk${pid}`

let nets = 0

async function openNamespaces(hosts: number): Promise<HostNetwork> {
  nets += 1
  const id = `${process.pid}-${nets}`
  const bridge = bridgeOf(process.pid)
  // Two networks of 256 addresses for each process that may run at the same time.
  const net = process.pid % 16_384
  const back = `10.${128 + (net >> 7)}.${(net & 127) * 2}`
  const front = `10.${128 + (net >> 7)}.${(net & 127) * 2 + 1}`
  const names = Array.from({ length: hosts }, (_, index) => `${PREFIX}${id}-${index}`)
  const close = async () => {
    for (const name of names) await ipResult(`netns del ${name}`)
    // The links to the namespaces are removed with them, some time after their last process.
    for (const [index] of names.entries())
      for (const side of ['b', 'f']) await ipResult(`link del ${linkOf(index, side)}`)
    await ipResult(`link del ${bridge}`)
  }
  try {
    await ip(`link add ${bridge} type bridge`)
    await ip(`addr add ${back}.1/24 dev ${bridge}`)
    await ip(`link set ${bridge} up`)
    const places: HostPlace[] = []
    for (const [index, name] of names.entries())
      places.push(await openNamespace(name, { index, bridge, back, front }))
    return { gateway: `${back}.1`, places, close }
  } catch (error) {
    await close()
    throw error
  }
}

const linkOf = (index: number, side: string) => `rk${process.pid}${side}${index}`

interface Surroundings {
  index: number
  bridge: string
  /** The first three parts of the addresses of each network. */
  back: string
  front: string
}

async function openNamespace(name: string, { index, bridge, back, front }: Surroundings): Promise<HostPlace> {
  const [backLink, frontLink] = [linkOf(index, 'b'), linkOf(index, 'f')]
  const [root, own] = [`${front}.${4 * index + 1}`, `${front}.${4 * index + 2}`]
  await ip(`netns add ${name}`)
  await ip(`link add ${backLink} type veth peer name back netns ${name}`)
  await ip(`link set ${backLink} master ${bridge}`)
  await ip(`link set ${backLink} up`)
  await ip(`link add ${frontLink} type veth peer name front netns ${name}`)
  await ip(`addr add ${root}/30 dev ${frontLink}`)
  await ip(`link set ${frontLink} up`)
  await ip(`-n ${name} link set lo up`)
  await ip(`-n ${name} addr add ${back}.${11 + index}/24 dev back`)
  await ip(`-n ${name} link set back up`)
  await ip(`-n ${name} addr add ${own}/30 dev front`)
  await ip(`-n ${name} link set front up`)
  return {
    listenOn: '0.0.0.0',
    address: own,
    // It exits with the test's process, however that exits.
    within: ['ip', 'netns', 'exec', name, 'setpriv', '--pdeathsig', 'KILL', '--'],
    redisUrl: ({ host, port }) => Promise.resolve(`redis://${host}:${port}`),
    // The other end only sees that nothing arrives any more.
    cut: () => ip(`link set ${backLink} down`),
    heal: () => ip(`link set ${backLink} up`),
  }
}

async function openLoopback(hosts: number): Promise<HostNetwork> {
  const ways = new Map<number, Network>()
  const places = Array.from({ length: hosts }, (_, index): HostPlace => {
    const address = `127.${1 + (process.pid % 250)}.${(process.pid >> 8) % 250}.${11 + index}`
    return {
      listenOn: address,
      address,
      within: ['setpriv', '--pdeathsig', 'KILL', '--'],
      redisUrl: async ({ port }) => {
        const way = await Network.to(port)
        ways.set(index, way)
        return way.url.replace('http:', 'redis:')
      },
      cut: async () => ways.get(index)?.hold(),
      heal: async () => ways.get(index)?.mend(),
    }
  })
  const close = async () => {
    for (const way of ways.values()) await way.close()
  }
  return { gateway: '127.0.0.1', places, close }
}

async function ip(args: string): Promise<void> {
  const { code, stderr } = await ipResult(args)
  if (code !== 0) throw new Error(`ip ${args}: ${stderr.trim()}`)
}

function ipResult(args: string) {
  return run('ip', args.split(' '))
}
