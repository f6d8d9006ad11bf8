/** The linter refuses and accepts imports as the tables in src/README.md ("Who may import whom") say. */
import { readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../harness/command.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const OXLINT = join(ROOT, 'node_modules/oxlint/bin/oxlint')

interface Attempt {
  /** The importing file, below src/. */
  from: string
  specifier: string
  isAllowed: boolean
}

/** What each row of the tables allows: folder or file, without the last slash → names in its last column. */
function readTables(): Map<string, string[]> {
  const page = readFileSync(join(ROOT, 'src/README.md'), 'utf8')
  const [, section = ''] = /^## Who may import whom$([\s\S]*?)^## /m.exec(page) ?? []
  const rows = [...section.matchAll(/^\| `([^`]+)` \|.*\| ([^|]+) \|$/gm)]
  return new Map(
    rows.map(([, name = '', may = '']) => [
      name.replace(/\/$/, ''),
      [...may.matchAll(/`([^`]+)`/g)].map(([, allowed = '']) => allowed.replace(/\/$/, '')),
    ]),
  )
}

const tables = readTables()
const entries = (folder: string) => readdirSync(join(ROOT, 'src', folder), { withFileTypes: true })
const foldersOf = (folder: string) =>
  entries(folder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
const filesOf = (folder: string) =>
  entries(folder)
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(({ name }) => name)

const topFolders = foldersOf('')
const layered = ['primary', 'worker', 'chat', 'client']
const hasIndexes = ['primary', 'worker']

/** Imports from a file of `folder` into each folder of src/, `up` being its way to src/. */
function acrossTopFolders(from: string, up: string): Attempt[] {
  const top = from.split('/')[0] ?? ''
  // What builds the page runs before it, without the client.
  const may = from.startsWith('web/build/') ? [] : (tables.get(top) ?? [])
  const folders = topFolders.filter((target) => target !== top)
  return [
    ...folders.map((target) => `${target}/sample.ts`),
    ...folders.map((target) => `${target}/index.ts`),
    ...filesOf('').filter((file) => file !== from),
  ].map((target) => ({
    from,
    specifier: up + target,
    isAllowed: may.includes(target) || may.includes(dirname(target)),
  }))
}

function below(folder: string, depth: number): Attempt[] {
  return [
    ...acrossTopFolders(`${folder}/sample.ts`, '../'.repeat(depth)),
    ...foldersOf(folder).flatMap((name) => below(`${folder}/${name}`, depth + 1)),
  ]
}

/** Imports from a layer into the layers beside it and into the files beside it. */
function betweenLayers(top: string): Attempt[] {
  const shared = [
    'chat/errors.ts',
    'chat/metrics.ts',
    'chat/session.ts',
    'client/errors.ts',
    'client/emitter.ts',
  ]
  return foldersOf(top).flatMap((layer) => {
    const from = `${top}/${layer}/sample.ts`
    const may = tables.get(`${top}/${layer}`) ?? []
    const others = foldersOf(top).filter((other) => other !== layer)
    return [
      ...others.map((other) => ({
        from,
        specifier: `../${other}/sample.ts`,
        isAllowed: may.includes(other) && !hasIndexes.includes(top),
      })),
      ...others.map((other) => ({
        from,
        specifier: `../${other}/index.ts`,
        isAllowed: may.includes(other),
      })),
      ...filesOf(top).map((file) => ({
        from,
        specifier: `../${file}`,
        isAllowed: shared.includes(`${top}/${file}`) && !(layer === 'auth' && file === 'session.ts'),
      })),
    ]
  })
}

const intoLayers = hasIndexes.flatMap((top) =>
  foldersOf(top).flatMap((layer) => [
    { from: `${top}/sample.ts`, specifier: `./${layer}/sample.ts`, isAllowed: false },
    { from: `${top}/sample.ts`, specifier: `./${layer}/index.ts`, isAllowed: true },
  ]),
)

const insideWeb = foldersOf('web')
  .filter((folder) => folder !== 'components')
  .flatMap((folder) => [
    { from: 'web/components/sample.ts', specifier: `../${folder}/sample.ts`, isAllowed: false },
    { from: `web/${folder}/sample.ts`, specifier: '../components/sample.ts', isAllowed: folder !== 'build' },
  ])

const oneByOne: Attempt[] = [
  ['worker/app-loader.ts', '../chat/sample.ts', true],
  ['worker/app-loader.ts', '../core/sample.ts', true],
  ['worker/app-loader.ts', '../primary/sample.ts', false],
  ['worker/app-loader.ts', '../web/sample.ts', false],
  ['worker/app-loader.ts', './link/sample.ts', false],
  ['chat/errors.ts', './rooms/sample.ts', false],
  ['chat/metrics.ts', './auth/sample.ts', false],
  ['chat/session.ts', './rooms/sample.ts', true],
  ['chat/session.ts', './requests/sample.ts', false],
  ['chat/session.ts', './auth/sample.ts', false],
  ['chat/session.ts', './chat.ts', false],
  ['chat/chat.ts', './requests/sample.ts', true],
  ['chat/sample.ts', 'node:crypto', true],
  ['chat/sample.ts', 'ioredis', false],
  ['chat/session.ts', 'ioredis', false],
  ['chat/rooms/sample.ts', 'lmdb', false],
  ['client/errors.ts', './client.ts', false],
  ['client/emitter.ts', './room/sample.ts', false],
  ['client/client.ts', './room/sample.ts', true],
  ['client/client.ts', 'node:fs', false],
  ['client/errors.ts', 'node:fs', false],
  ['client/room/sample.ts', 'node:fs', false],
  ['client/timeline/sample.ts', 'node:events', false],
  ['client/room/sample.ts', 'socket.io-client', true],
  ['web/main.tsx', 'node:fs', false],
  ['web/app/sample.ts', 'node:fs', false],
  ['web/components/sample.ts', 'node:fs', false],
  ['web/conversation/message/sample.ts', 'node:fs', false],
  ['web/conversation/message/sample.ts', '../../components/sample.ts', true],
  ['web/app/sample.ts', '../session/sample.ts', true],
  ['web/vite.config.ts', 'node:url', true],
  ['web/vite.config.ts', './build/sample.ts', true],
  ['web/vite.config.ts', './app/sample.ts', false],
  ['web/build/sample.ts', 'node:zlib', true],
].map(([from, specifier, isAllowed]) => ({ from, specifier, isAllowed }) as Attempt)

const attempts: Attempt[] = [
  ...['main.ts', 'index.ts'].flatMap((file) => acrossTopFolders(file, './')),
  ...topFolders.flatMap((folder) => below(folder, 1)),
  ...layered.flatMap(betweenLayers),
  ...intoLayers,
  ...insideWeb,
  ...oneByOne,
]

const shown = ({ from, specifier }: Attempt) => `${from} → ${specifier}`
/** In turn each kind of statement that imports. */
const statements = [
  (specifier: string) => `import '${specifier}'`,
  (specifier: string) => `import type {} from '${specifier}'`,
  (specifier: string) => `export * from '${specifier}'`,
  (specifier: string) => `await import('${specifier}')`,
]

/** Writes the attempts, one per line, into files below `root`, and returns those that the linter refuses. */
async function refusedBy(root: string): Promise<string[]> {
  await copyFile(join(ROOT, '.oxlintrc.json'), join(root, '.oxlintrc.json'))
  const byFile = new Map<string, Attempt[]>()
  for (const attempt of attempts) {
    const file = join('src', attempt.from)
    byFile.set(file, [...(byFile.get(file) ?? []), attempt])
  }
  for (const [file, ofFile] of byFile) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    const lines = ofFile.map(({ specifier }, at) => statements[at % statements.length]?.(specifier))
    await writeFile(join(root, file), lines.join('\n'))
  }
  const { stdout } = await run(process.execPath, [OXLINT, '--format', 'json'], { cwd: root })
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[]
  }
  return diagnostics
    .filter(({ code }) => code === 'eslint(no-restricted-imports)')
    .flatMap(({ filename, labels }) => {
      const attempt = byFile.get(filename)?.[(labels[0]?.span.line ?? 0) - 1]
      return [attempt === undefined ? `unknown: ${filename}` : shown(attempt)]
    })
}

test('each folder has a row in the tables', () => {
  const folders = [
    ...topFolders,
    ...layered.flatMap((top) => foldersOf(top).map((layer) => `${top}/${layer}`)),
    ...filesOf(''),
  ]
  expect([...tables.keys()].toSorted()).toEqual(folders.toSorted())
})

test('the linter refuses every import that the tables do not allow, and no other', async () => {
  const root = await mkdtemp(join(tmpdir(), 'rookery-borders-'))
  try {
    const refused = new Set(await refusedBy(root))
    const forbidden = attempts.filter(({ isAllowed }) => !isAllowed).map(shown)
    expect(forbidden.length).toBeGreaterThan(200)
    expect([...refused].toSorted()).toEqual([...new Set(forbidden)].toSorted())
  } finally {
    await rm(root, { recursive: true })
  }
})
