/** `rookery init`: writes a small application with a test. Overwrites nothing. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { member } from '../core/member.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { version } from '../ops/version.ts'
import type { Options } from './command-line.ts'

const TEMPLATES = fileURLToPath(new URL('../../examples/template/', import.meta.url))

/** Text by the name of the file. */
type Files = Readonly<Record<string, string>>

/** @throws ExitError `usage` when one of the files is there already; then none is written */
export function init(directory: string, options: Options): void {
  const target = resolve(directory)
  const isTyped = options['js'] !== true && stripsTypes()
  const files = isTyped ? typedFiles(target) : plainFiles(target)
  const names = Object.keys(files)
  const there = names.filter((name) => existsSync(join(target, name)))
  if (there.length > 0)
    throw new ExitError('usage', `nothing was written: ${target} has ${there.join(', ')} already`)
  write(target, files)
  process.stdout.write(`wrote ${names.join(', ')}\n\n${nextSteps(target)}\n`)
}

/** Whether this Node.js runs TypeScript. */
const stripsTypes = (): boolean => Boolean(member(process.features, 'typescript'))

function typedFiles(target: string): Files {
  return {
    ...sharedFiles(target, 'app.ts', { typescript: '>=5.8', '@types/node': '>=22' }),
    ...templates('ts', ['app.ts', 'test/app.test.ts', 'tsconfig.json']),
  }
}

function plainFiles(target: string): Files {
  return { ...sharedFiles(target, 'app.js', {}), ...templates('js', ['app.js', 'test/app.test.js']) }
}

function templates(folder: string, names: readonly string[]): Files {
  return Object.fromEntries(names.map((name) => [name, template(join(folder, name))]))
}

const template = (name: string): string => readFileSync(join(TEMPLATES, name), 'utf8')

function sharedFiles(target: string, app: string, types: Readonly<Record<string, string>>): Files {
  const name = packageName(target)
  const description = {
    name,
    private: true,
    type: 'module',
    scripts: {
      dev: `rookery dev --app ./${app}`,
      start: `rookery start --app ./${app}`,
      test: 'node --test',
    },
    dependencies: { rookery: `^${version()}` },
    devDependencies: { 'socket.io-client': '^4.8.0', ...types },
  }
  return {
    'package.json': `${JSON.stringify(description, null, 2)}\n`,
    // npm leaves a file named .gitignore out of packages.
    '.gitignore': template('gitignore'),
    'README.md': template('README.md').replaceAll('{{name}}', name).replaceAll('{{app}}', app),
  }
}

/** What npm accepts. */
function packageName(target: string): string {
  const name = basename(target)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 200)
  return name === '' ? 'my-app' : name
}

function write(target: string, files: Files): void {
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = join(target, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text, { flag: 'wx' })
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError('usage', `${target} can't be written: ${reason}`, { cause: error })
  }
}

function nextSteps(target: string): string {
  const way = relative('', target)
  const steps = [...(way === '' ? [] : [`cd ${way}`]), 'npm install', 'npm run dev', 'npm test']
  return `Next:\n${steps.map((step) => `  ${step}`).join('\n')}`
}
