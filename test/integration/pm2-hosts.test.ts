/**
 * `pm2 deploy` over three machines, each with its own pm2, address and checkout. A stand-in for ssh runs the commands
 * here; a stand-in for `npm ci` takes the product that is built already.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandResult, run } from '../harness/command.ts'
import { Conversation } from '../harness/members/conversation.ts'
import { Member } from '../harness/members/member.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { freePort } from '../harness/network/free-port.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const CHAT = new URL('../../dist/chat/chat.js', import.meta.url).href

/** All of 127.0.0.0/8 is loopback. */
const ADDRESSES = { 'chat-1': '127.0.0.1', 'chat-2': '127.0.0.2', 'chat-3': '127.0.0.3' }
const machines = Object.keys(ADDRESSES) as (keyof typeof ADDRESSES)[]

/** What `pm2 deploy` runs on a machine runs in that machine's folder instead. */
const SSH = `#!/bin/bash
machine="$(dirname "$0")/../\${1#*@}"
shift
command="\${*//\\/opt\\/rookery/$machine\\/rookery}"
command="\${command//\\/etc\\/rookery/$machine}"
cd "$machine" && exec env -i PATH="$PATH" HOME="$machine" USER="$USER" PM2_HOME="$machine/pm2" PM2_DISABLE_VERSION_CHECK=true bash -c "$command"
`
const NPM = `#!/bin/bash
ln -sfn ${ROOT}/node_modules node_modules && ln -sfn ${ROOT}/dist dist
`
const GOOD = `export { default } from '${CHAT}'\n`
const BROKEN_ON_ONE = `if (import.meta.url.includes('/chat-2/')) throw new Error('this version does not start here')\n${GOOD}`

let home: string
let redis: TestRedis
let port: number

const onMachine = (machine: string, command: string) =>
  run(join(home, 'bin', 'ssh'), [`rookery@${machine}`, command], { env: environment() })

/** Of the operator, from whose checkout the machines are updated. */
function environment(): Record<string, string> {
  return {
    PATH: `${join(home, 'bin')}:${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`,
    HOME: home,
    USER: basename(home),
    PM2_HOME: join(home, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    DEPLOY_HOSTS: machines.join(','),
    DEPLOY_REPO: join(home, 'origin'),
    DEPLOY_TIMEOUT: '5s',
    ...AUTHOR,
  }
}

const AUTHOR = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@chat.example',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@chat.example',
}

const operator = (command: string) =>
  run('bash', ['-c', command], { cwd: join(home, 'checkout'), env: environment() })

const deploy = (command = '') => operator(`pm2 deploy ecosystem.config.js production ${command}`)

async function succeeds(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result
  if (code !== 0) throw new Error(`it ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}

const versionOn = (machine: string) => succeeds(onMachine(machine, 'git -C rookery/current log --oneline -1'))

/** A new version of the application in the repository. */
const publish = async (app: string) => {
  await writeFile(join(home, 'checkout', 'app.js'), app)
  await succeeds(operator('git add --all && git commit --quiet -m version && git push --quiet'))
}

async function createMachine(name: keyof typeof ADDRESSES): Promise<void> {
  const directory = join(home, name)
  await mkdir(directory)
  const settings = {
    app: join(directory, 'rookery', 'current', 'app.js'),
    port,
    host: ADDRESSES[name],
    advertiseHost: ADDRESSES[name],
    hostName: name,
    adminPort: 0,
    workers: 1,
    drainMs: 1000,
    dataDir: join(directory, 'data'),
    redisUrl: redis.url,
    clusterSecret: 'a secret of more than thirty-two bytes',
    messageRate: 100_000,
    messageBurst: 100_000,
    requestRate: 100_000,
    requestBurst: 100_000,
  }
  await writeFile(join(directory, 'rookery.json'), JSON.stringify(settings))
}

async function createRepository(): Promise<void> {
  const checkout = join(home, 'checkout')
  await succeeds(run('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(home, 'origin')]))
  await succeeds(run('git', ['clone', '--quiet', join(home, 'origin'), checkout]))
  for (const file of ['ecosystem.config.js', 'package.json']) {
    await writeFile(join(checkout, file), await readFile(join(ROOT, file)))
  }
  await writeFile(join(checkout, '.gitignore'), 'node_modules\ndist\n')
  await succeeds(
    operator(
      'git checkout --quiet -B main && npm ci && git commit --allow-empty --quiet -m start && git push --quiet -u origin main',
    ),
  )
}

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'always' })
  port = await freePort()
  home = await mkdtemp(join(tmpdir(), 'rookery-pm2-'))
  await mkdir(join(home, 'bin'))
  for (const [name, text] of [
    ['ssh', SSH],
    ['npm', NPM],
  ] as const) {
    await writeFile(join(home, 'bin', name), text)
    await chmod(join(home, 'bin', name), 0o755)
  }
  for (const machine of machines) await createMachine(machine)
  await createRepository()
  await publish(GOOD)
  await succeeds(deploy('setup'))
  await succeeds(deploy())
})

afterAll(async () => {
  for (const machine of machines) await onMachine(machine, 'pm2 kill')
  await operator('pm2 kill')
  await rm(home, { recursive: true, force: true })
  // pm2-deploy writes there, and nowhere else.
  await rm(`/tmp/pm2-deploy-${basename(home)}.log`, { force: true })
  await redis.stop()
})

const isReady = async (machine: keyof typeof ADDRESSES) => {
  const answer = await fetch(`http://${ADDRESSES[machine]}:${port}/readyz`).catch(() => undefined)
  return answer?.status === 200
}

/** Of the primary, as its pid file says; undefined while none runs. */
const pids = () =>
  Promise.all(
    machines.map(async (machine) => {
      const text = await readFile(join(home, machine, 'data', 'rookery.pid'), 'utf8').catch(() => undefined)
      return text?.split('\n')[0]
    }),
  )

test('machines are updated one after another, and nothing is lost', async () => {
  expect(await Promise.all(machines.map(isReady))).toEqual([true, true, true])
  const balancer = await RealBalancer.start(
    'haproxy.cfg',
    Object.values(ADDRESSES).map((address) => `${address}:${port}`),
  )
  const members = [['polling'], ['polling', 'websocket'], ['websocket'], ['websocket']].map(
    (transports, n) => new Member(balancer.url, 'lobby', `m${n}`, { transports }),
  )
  try {
    await Promise.all(members.map((member) => member.joined()))
    const conversation = new Conversation(members)
    await conversation.goesOn()
    const before = await pids()
    await succeeds(deploy())
    expect((await pids()).filter((pid) => pid === undefined || before.includes(pid))).toEqual([])
    expect(await Promise.all(machines.map(isReady))).toEqual([true, true, true])
    await conversation.goesOn()
    expect(await conversation.end()).toBeGreaterThan(20)
    expect(members.every(({ disconnects }) => disconnects > 0)).toBe(true)
  } finally {
    for (const member of members) member.close()
    await balancer.stop()
  }
}, 300_000)

test('a version that does not start on a machine ends the deployment there', async () => {
  const before = await pids()
  await publish(BROKEN_ON_ONE)
  const { code, stdout, stderr } = await deploy()
  const after = await pids()
  expect(code, stdout).not.toBe(0)
  expect(stdout + stderr).toContain('rookery: not ready after 5s')
  expect(await Promise.all(machines.map(isReady))).toEqual([true, false, true])
  expect([after[0] === before[0], after[1] === before[1], after[2] === before[2]]).toEqual([
    false,
    false,
    true,
  ])
  expect(await versionOn('chat-3')).not.toBe(await versionOn('chat-1'))
}, 300_000)
