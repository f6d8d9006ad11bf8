/**
 * Gets the other servers that speak the protocol of Redis, Valkey and Redict, from Debian's backports into
 * test/stores, without installing them. `npm test` runs it; it does nothing when they are there. Where they
 * can't be had it says so, and their tests are skipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const stores = fileURLToPath(new URL('../stores', import.meta.url))
const packages = {
  valkey: ['valkey-tools', 'valkey-server'],
  redict: ['redict-tools', 'redict-server', 'libhiredict1.3.1'],
}
const SOURCES = '/etc/apt/sources.list.d'

/** The stanzas of this machine's own sources, for the backports of its release. */
function backports() {
  const release = readFileSync('/etc/os-release', 'utf8')
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1]
  if (name === undefined || !existsSync(SOURCES)) return ''
  const files = readdirSync(SOURCES).filter((file) => file.endsWith('.sources'))
  const stanzas = files.flatMap((file) => readFileSync(join(SOURCES, file), 'utf8').split(/\n\s*\n/))
  const ofRelease = stanzas.filter((stanza) => new RegExp(`^Suites:.*\\b${name}(\\s|$)`, 'm').test(stanza))
  return ofRelease.map((stanza) => stanza.replace(/^Suites:.*$/m, `Suites: ${name}-backports`)).join('\n\n')
}

function run(cwd, command, ...args) {
  return spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] }).status === 0
}

/** Has its own lists of packages: those of the machine stay as they are. */
function download(directory, names) {
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(directory, folder), { recursive: true })
  writeFileSync(join(directory, 'parts/backports.sources'), backports())
  const places = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(directory, 'parts'),
    'Dir::State::Lists': join(directory, 'lists'),
    'Dir::Cache': join(directory, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(places).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (
    run(directory, 'apt-get', ...options, '-q', 'update') &&
    run(directory, 'apt-get', ...options, '-q', 'download', ...names)
  )
}

function install(missing) {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-stores-'))
  try {
    const names = missing.flatMap((name) => packages[name])
    if (!download(directory, names)) return false
    const files = readdirSync(directory).filter((file) => file.endsWith('.deb'))
    return missing.every((name) => {
      const own = files.filter((file) => packages[name].some((part) => file.startsWith(`${part}_`)))
      mkdirSync(join(stores, name), { recursive: true })
      return own.every((file) => run(directory, 'dpkg-deb', '-x', file, join(stores, name)))
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const missing = Object.keys(packages).filter(
  (name) => !existsSync(join(stores, name, 'usr/bin', `${name}-server`)),
)
if (missing.length > 0 && !(existsSync('/etc/os-release') && install(missing)))
  process.stderr.write(`not available here, so their tests are skipped: ${missing.join(', ')}\n`)
