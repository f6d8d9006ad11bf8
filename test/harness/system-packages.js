/**
 * Installs the programs that the tests use and npm does not have. `npm test` runs it; it is quick when all
 * are there. Installs with apt-get where it may, and reports what is missing where it may not.
 */
import { spawnSync } from 'node:child_process'

const PACKAGES = [
  'apache2',
  'caddy',
  'chromium-headless-shell',
  'fiu-utils',
  'fonts-noto-color-emoji',
  'git',
  'haproxy',
  'iproute2',
  'libfaketime',
  'libnginx-mod-stream',
  'lighttpd',
  'nginx-light',
  'python3-aiohttp',
  'python3-socketio',
  'python3-websocket',
  'python3-yaml',
  'redis-server',
  'squid',
  'systemd',
  'varnish',
]

/** The redis-server of the package would only occupy a port; the tests start their own. */
const APT_ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }

function missingPackages() {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...PACKAGES])
  if (query.error !== undefined) return PACKAGES
  const installed = new Set(
    query.stdout
      .toString()
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return PACKAGES.filter((name) => !installed.has(name))
}

function apt(...args) {
  const run = spawnSync('apt-get', args, { env: APT_ENVIRONMENT, stdio: ['ignore', 2, 2] })
  return run.status === 0
}

function mayInstall() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0
}

const missing = missingPackages()
if (missing.length > 0 && mayInstall()) {
  process.stderr.write(`installing for the tests: ${missing.join(' ')}\n`)
  apt('update', '-q')
  apt('install', '-q', '-y', '--no-install-recommends', ...missing)
}
const stillMissing = missing.length > 0 ? missingPackages() : []
if (stillMissing.length > 0) {
  process.stderr.write(
    `the tests need these Debian packages: ${stillMissing.join(' ')}\n` +
      `as root: apt-get update && apt-get install -y --no-install-recommends ${stillMissing.join(' ')}\n`,
  )
  process.exitCode = 1
}
