/** The documents refer only to existing files, folders, pages and headings. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chatRequests } from '../../src/wire/chat.ts'
import { errorTable } from '../../src/wire/errors.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const documents = ['', 'docs/', 'src/', 'examples/', 'loadtest/', 'loadtest/results/', 'findings/'].flatMap(
  (folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => folder + name),
)

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** The anchors that GitHub creates for a page's headings. */
function anchorsOf(file: string): Set<string> {
  const headings = read(file)
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Broken links of the page. */
function brokenLinks(file: string): string[] {
  const links = [...withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? file : join(dirname(file), path)
    if (!existsSync(join(ROOT, target))) return true
    return anchor !== undefined && !anchorsOf(target).has(anchor)
  })
}

/** Words of inline code and code blocks that are paths: `relay/relay.ts`, `docs/`. */
function pathsNamed(file: string): string[] {
  const code = [...read(file).matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].flatMap(([text]) =>
    text.split(/[\s`'"]+/),
  )
  const path = /^(?![\w.-]+:)(?!@)[\w.-]+(\/[\w.-]+)*(\/|\.(tsx?|js|css|md))$/
  return [...new Set(code.filter((word) => path.test(word) && !/^(dist|node_modules)\//.test(word)))]
}

test.each(documents)('%s has no broken link', (file) => {
  expect(brokenLinks(file)).toEqual([])
})

describe.each([
  ['src/README.md', 50],
  ['src/DECISIONS.md', 5],
  ['CONTRIBUTING.md', 20],
])('%s', (file, least) => {
  const named = pathsNamed(file)

  test('names files', () => {
    expect(named.length).toBeGreaterThanOrEqual(least)
  })

  test('names files and folders that exist', () => {
    const places = [ROOT, join(ROOT, 'src')]
    expect(named.filter((path) => !places.some((place) => existsSync(join(place, path))))).toEqual([])
  })
})

test('docs/protocol.md and the chat have a row for each request', () => {
  const page = read('docs/protocol.md')
  const table = read('src/chat/requests/requests.ts')
  for (const event of Object.keys(chatRequests)) {
    expect(page).toContain(`| \`${event}\` |`)
    expect(table).toContain(`['${event}', `)
  }
})

test('docs/protocol.md has a row for each error, which matches the table of errors', () => {
  const rows = [...read('docs/protocol.md').matchAll(/^\| `([a-z_]+)` \| (\d+) \| (yes|no) \| /gm)]
  const named = rows.map(([, code, status, retryable]) => [
    code,
    { status: Number(status), retryable: retryable === 'yes' },
  ])
  expect(Object.fromEntries(named)).toEqual(errorTable)
})

test('every npm script that a document mentions exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = documents.flatMap((file) =>
    [...read(file).matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
})

test('README.md stays short', () => {
  expect(read('README.md').length).toBeLessThanOrEqual(11_000)
})
