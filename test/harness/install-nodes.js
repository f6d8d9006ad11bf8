/**
 * Brings the other Node.js versions that some tests run on (test/nodes): run by `npm test`, and done in a moment when
 * they are there. They come for Linux on x64 alone; elsewhere those tests are skipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../nodes', import.meta.url))
const there = ['node22', 'node24'].every((name) => existsSync(`${directory}/node_modules/${name}/bin/node`))

if (!there && process.platform === 'linux' && process.arch === 'x64') {
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) process.exitCode = 1
}
