/**
 * Installs the Node.js versions that some tests run on (test/nodes). `npm test` runs it; it does nothing when
 * they are installed. The binaries exist for Linux on x64 only; elsewhere those tests are skipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../nodes', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
const installed = Object.entries(dependencies).every(([name, pin]) => pin.endsWith(`@${versionOf(name)}`))

if (!installed && process.platform === 'linux' && process.arch === 'x64') {
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) process.exitCode = 1
}

function versionOf(name) {
  const file = `${directory}/node_modules/${name}/package.json`
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}
