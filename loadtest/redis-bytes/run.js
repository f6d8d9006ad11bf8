/**
 * Compares what Redis sends for the same traffic: Rookery on 2 hosts × 4 workers, and 8 workers with
 * @socket.io/redis-adapter each. Runs on loopback, each with its own redis-server, and ends what it starts.
 * After `npm run build`: `node loadtest/redis-bytes/run.js 5`, where 5 is the number of members per room.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { BROADCASTS, Traffic } from './traffic.js'

const HOSTS = 2
const WORKERS_PER_HOST = 4
const MEMBERS_PER_ROOM = Number(process.argv[2] ?? 5)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const harness = async (name) => (await runnerImport(here(`../../test/harness/${name}.ts`))).module
const { LoopbackHosts } = await harness('cluster/loopback-hosts')
const { startRedis } = await harness('redis/redis')

async function serveRookery() {
  const args = ['--app', here('app.js')]
  const hosts = await LoopbackHosts.start({ hosts: HOSTS, workersPerHost: WORKERS_PER_HOST, args })
  const urls = hosts.ports.map((port) => `http://127.0.0.1:${port}`)
  const each = Array.from({ length: WORKERS_PER_HOST }, () => urls).flat()
  return { redis: hosts.redis, urls: each, stop: () => hosts.stop() }
}

async function serveDocumented() {
  const redis = await startRedis({ appendonly: 'always' })
  const env = { ...process.env, REDIS_URL: redis.url }
  const workers = Array.from({ length: HOSTS * WORKERS_PER_HOST }, () => fork(here('documented.js'), { env }))
  const stop = async () => {
    const gone = workers.map((worker) => once(worker, 'exit'))
    for (const worker of workers) worker.kill('SIGKILL')
    await Promise.all(gone)
    await redis.stop()
  }
  const ready = await Promise.all(workers.map((worker) => once(worker, 'message')))
  return { redis, urls: ready.map(([{ port }]) => `http://127.0.0.1:${port}`), stop }
}

async function redisStats(redis) {
  const stats = await redis.cli('info', 'stats')
  const figure = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1])
  return {
    out: figure('total_net_output_bytes'),
    in: figure('total_net_input_bytes'),
    commands: figure('total_commands_processed'),
  }
}

function difference(before, after) {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]))
}

async function connections(redis) {
  const lines = (await redis.cli('client', 'list')).split('\n')
  return lines.filter((line) => !line.includes('cmd=client|list')).length
}

async function measure(serve) {
  const served = await serve()
  const traffic = new Traffic(MEMBERS_PER_ROOM)
  try {
    await traffic.begin(served.urls)
    const first = await redisStats(served.redis)
    await delay(10_000)
    const idle = difference(first, await redisStats(served.redis))
    const before = await redisStats(served.redis)
    const ms = await traffic.run()
    const spent = difference(before, await redisStats(served.redis))
    return { connections: await connections(served.redis), ms, ...spent, idleOutIn10s: idle.out }
  } finally {
    traffic.end()
    await served.stop()
  }
}

const results = { rookery: await measure(serveRookery), documented: await measure(serveDocumented) }
const perBroadcast = (name) => Math.round(results[name].out / BROADCASTS)
const summary = {
  traffic: `${BROADCASTS} broadcasts of 100 bytes to rooms of ${MEMBERS_PER_ROOM}, ${HOSTS} hosts × ${WORKERS_PER_HOST} workers`,
  ...results,
  outBytesPerBroadcast: { rookery: perBroadcast('rookery'), documented: perBroadcast('documented') },
}
process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
