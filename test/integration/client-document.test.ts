/** The examples of docs/client.md, run unchanged, each as its own program, with the built package. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const DOCUMENT = join(ROOT, 'docs', 'client.md')
const BLOCKS = /```(\w+)\n([\s\S]*?)```/g

const document = await readFile(DOCUMENT, 'utf8')
const blocks = [...document.matchAll(BLOCKS)].map(([, language = '', code = '']) => ({ language, code }))
const examples = blocks.flatMap(({ language, code }, index) =>
  language === 'js' ? [{ code, prints: blocks[index + 1] }] : [],
)

let rookery: RunningRookery
/** Inside the package, so that its own name resolves to it. */
let directory: string

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '1' } })
  await mkdir(join(ROOT, 'test-output'), { recursive: true })
  directory = await mkdtemp(join(ROOT, 'test-output', 'client-document-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  expect(await rookery.stop()).toBe(0)
})

describe('docs/client.md', () => {
  it('has examples, each with its output', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6)
    expect(examples.filter(({ prints }) => prints?.language !== 'text')).toEqual([])
  })

  it.each(examples.map(({ code, prints }, index) => [index + 1, code, prints?.code]))(
    'prints in example %i the documented output',
    async (index, code, prints) => {
      const file = join(directory, `example-${index}.js`)
      await writeFile(file, code.replaceAll('http://localhost:3000', rookery.url))
      const { code: exitCode, stdout, stderr } = await run(process.execPath, [file], { cwd: directory })
      expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: '', stdout: prints })
    },
  )
})
