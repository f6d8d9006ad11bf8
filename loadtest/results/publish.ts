/**
 * Rebuilds the published results (`npm run loadtest:results`, about 25 minutes on two idle cores): runs each
 * entry of published.ts through the command line, as anyone could, and writes `<entry>.json` and README.md
 * beside this file. With names of entries as arguments it reruns only those.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readReport } from '../report/files.ts'
import { markdownReport } from '../report/markdown.ts'
import { inPackage } from '../system/package-root.ts'
import { published } from './published.ts'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
const HERE = inPackage('loadtest/results')
const SEED = '20261123'

const pathOf = (name: string) => join(HERE, `${name}.json`)

async function make(name: string, command: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-results-'))
  try {
    const args = [MAIN, ...command.split(' '), '--seed', SEED, '--no-page', '--out', directory]
    const child = spawn(process.execPath, ['--enable-source-maps', ...args], { stdio: 'inherit' })
    await once(child, 'exit')
    // Also of failed and invalid runs: they say so themselves.
    await copyFile(join(directory, 'result.json'), pathOf(name))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function sectionOf({ name, title, command, note }: (typeof published)[number]): Promise<string> {
  const table = markdownReport(await readReport(pathOf(name)))
  return `## ${title}\n\n\`npm run loadtest -- ${command}\`\n\n${note}\n\n${table}`
}

async function writeTables(): Promise<void> {
  const opening = await readFile(join(HERE, 'opening.md'), 'utf8')
  const sections: string[] = []
  for (const entry of published) if (existsSync(pathOf(entry.name))) sections.push(await sectionOf(entry))
  await writeFile(join(HERE, 'README.md'), [opening, ...sections].join('\n'))
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !published.some((entry) => entry.name === name))
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')} in published.ts`)
for (const { name, command } of published)
  if (wanted.length === 0 || wanted.includes(name)) await make(name, command)
await writeTables()
