/** The files in `deploy/` agree with the settings and with each other. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { settingKeys } from '../../src/config/schema.ts'
import { environmentName } from '../../src/config/setting.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(`deploy/${file}`, ROOT), 'utf8')
const { config } = loadConfig({ env: {} })
const names = new Set(settingKeys.map(environmentName))

const withoutTitle = (file: string) => read(file).slice(read(file).indexOf('\n\n'))

const NGINX = ['nginx.conf', 'nginx-sticky.conf']
const OTHERS = ['apache.conf', 'Caddyfile', 'lighttpd.conf', 'varnish.vcl', 'squid.conf', 'haproxy-tcp.cfg']
const HAPROXY = ['haproxy.cfg', 'haproxy-sticky.cfg']

test.each([
  ...NGINX.flatMap((file) => ['proxy_read_timeout', 'proxy_send_timeout'].map((name) => [file, name])),
  ...HAPROXY.flatMap((file) => ['client', 'server', 'tunnel'].map((name) => [file, `timeout ${name}`])),
  ['nginx-stream.conf', 'proxy_timeout'],
  ...['client', 'server'].map((name) => ['haproxy-proxy.cfg', `timeout ${name}`]),
])('%s: %s is longer than a heartbeat takes', (file = '', name = '') => {
  const seconds = new RegExp(`^\\s*${name} ([0-9]+)s;?$`, 'm').exec(read(file))?.[1]
  expect(Number(seconds) * 1000).toBeGreaterThan(config.pingIntervalMs + config.pingTimeoutMs)
})

test.each([
  ['apache.conf', / timeout=([0-9]+) /g, 3],
  ['lighttpd.conf', /^server\.max-(?:read|write)-idle = ([0-9]+)$/gm, 2],
  ['varnish.vcl', /(?:first_byte|between_bytes|pipe)_timeout ?= ?([0-9]+)s/g, 7],
  ['haproxy-tcp.cfg', /^ *timeout (?:client|server) ([0-9]+)s$/gm, 2],
  ['squid.conf', /^read_timeout ([0-9]+) seconds$/gm, 1],
])('%s: each time-out is longer than a heartbeat takes', (file, pattern, count) => {
  const seconds = [...read(file).matchAll(pattern)].map(([, text]) => Number(text))
  expect(seconds).toHaveLength(count)
  expect(Math.min(...seconds) * 1000).toBeGreaterThan(config.pingIntervalMs + config.pingTimeoutMs)
})

test.each(NGINX)('%s allows what the hosts accept', (file) => {
  const mebibytes = /client_max_body_size ([0-9]+)m;/.exec(read(file))?.[1]
  expect(Number(mebibytes) * 1_048_576).toBeGreaterThanOrEqual(config.maxPacketBytes)
})

test.each([
  ['nginx.conf', 'nginx-sticky.conf', /^ *hash \$remote_addr consistent;\n/m],
  ['haproxy.cfg', 'haproxy-sticky.cfg', /^ *cookie rookery_host .*\n| cookie rookery-[0-9]$/gm],
])('%s and %s differ only in what makes it sticky', (plain, sticky, difference) => {
  expect(withoutTitle(sticky)).not.toBe(withoutTitle(plain))
  expect(withoutTitle(sticky).replaceAll(new RegExp(difference, 'gm'), '')).toBe(withoutTitle(plain))
})

const unitValue = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(read('rookery.service'))?.[1]

test('the systemd unit waits for the drain, and restarts after failures that a restart can fix', () => {
  expect(Number(unitValue('TimeoutStopSec')) * 1000).toBeGreaterThan(config.stopDeadlineMs)
  expect(unitValue('RestartPreventExitStatus')).toBe(
    `${exitCodes.usage.code} ${exitCodes.configuration.code}`,
  )
  const settings = unitValue('Environment')?.matchAll(/([A-Z_]+)=/g) ?? []
  for (const [, name = ''] of settings) expect(['NODE_ENV', ...names]).toContain(name)
})

test('the systemd unit is valid for systemd', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-unit-'))
  try {
    const file = join(directory, 'rookery.service')
    writeFileSync(file, read('rookery.service').replace('/usr/bin/node', process.execPath))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

interface Service {
  image: string
  build?: { context: string; dockerfile: string }
  environment?: Record<string, string>
  stop_grace_period?: string
  networks?: { default: { ipv4_address: string } }
}

function composeServices(): Map<string, Service> {
  const script = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'
  const json = execFileSync('/usr/bin/python3', ['-c', script], { input: read('compose.yaml') })
  return new Map(
    Object.entries((JSON.parse(json.toString()) as { services: Record<string, Service> }).services),
  )
}

test('the hosts of compose.yaml match the balancers, with settings that exist and are allowed', () => {
  const services = composeServices()
  const hosts = [...services.keys()].filter((name) => name.startsWith('rookery-'))
  for (const file of [...NGINX, ...HAPROXY, ...OTHERS]) {
    const named = new Set(read(file).match(/\brookery-[0-9]\b/g))
    expect([...named].toSorted()).toEqual(hosts)
  }
  const env = { REDIS_PASSWORD: 'password', CLUSTER_SECRET: 'a secret of more than thirty-two bytes' }
  for (const name of hosts) {
    const { environment = {}, stop_grace_period: grace = '', build } = services.get(name) ?? {}
    for (const key of Object.keys(environment)) expect(names).toContain(key)
    const filled = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{([A-Z_]+)[^}]*\}/g, (_, variable: keyof typeof env) => env[variable]),
      ]),
    )
    const loaded = loadConfig({ env: filled }).config
    expect([loaded.hostName, loaded.advertiseHost]).toEqual([name, name])
    expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThan(loaded.stopDeadlineMs)
    expect(build).toEqual({ context: '..', dockerfile: 'deploy/Dockerfile' })
  }
})

test('the Dockerfile starts what npm builds, with settings that exist', () => {
  const dockerfile = read('Dockerfile')
  const settings = /^ENV (.*)$/m.exec(dockerfile)?.[1]?.matchAll(/([A-Z_]+)=/g) ?? []
  for (const [, name = ''] of settings) expect(['NODE_ENV', ...names]).toContain(name)
  const { bin, engines } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  expect(dockerfile).toContain(`"${bin.rookery}"`)
  expect(engines.node).toBe('>=20.19')
  expect(dockerfile.match(/^FROM node:26-/gm)).toHaveLength(2)
  expect(dockerfile).toContain(`EXPOSE ${config.port}\n`)
})

test('docs/deploy.md names settings that exist', () => {
  const page = readFileSync(new URL('docs/deploy.md', ROOT), 'utf8')
  const named = new Set(page.match(/(?<=`)[A-Z]+(?:_[A-Z]+)+(?=`)/g))
  expect(named.size).toBeGreaterThan(10)
  const ofPm2 = readFileSync(new URL('ecosystem.config.js', ROOT), 'utf8').match(/\bDEPLOY_[A-Z]+/g) ?? []
  for (const name of named) expect([...names, ...ofPm2]).toContain(name)
})

test('pm2 can read the machines, and gets each setting of the deployment', () => {
  const script =
    "import('./ecosystem.config.js').then(({ deploy }) => process.stdout.write(JSON.stringify(deploy)))"
  const env = { PATH: process.env.PATH, DEPLOY_HOSTS: 'a.example,b.example', DEPLOY_CONFIG: '/etc/r.json' }
  const json = execFileSync(process.execPath, ['-e', script], { cwd: ROOT, env })
  const { production } = JSON.parse(json.toString()) as { production: Record<string, unknown> }
  expect(production).toMatchObject({
    host: ['a.example', 'b.example'],
    env: { ROOKERY_CONFIG: '/etc/r.json' },
  })
  // pm2 passes the section to a shell, in single quotes.
  expect(JSON.stringify(production)).not.toContain("'")
})
