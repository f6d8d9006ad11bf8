/** `rookery init` writes an application, and overwrites nothing. That what it writes works: pack.test.ts. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { MAIN, rookery, run } from '../harness/command.ts'
import { otherNodes } from '../harness/node-versions.ts'

const typed = otherNodes.find(({ major }) => major >= 24)?.path

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-init-'))
})
afterAll(() => rm(directory, { recursive: true }))

const filesIn = async (name: string) =>
  (await readdir(join(directory, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()

const PLAIN = ['.gitignore', 'README.md', 'app.js', 'app.test.js', 'package.json']

test('it writes an application with a test, and the next steps', async () => {
  const { code, stdout } = await rookery(['init', 'My App', '--js'], { cwd: directory })
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/Next:\n {2}cd My App\n {2}npm install\n {2}npm run dev\n {2}npm test/),
  ])
  expect(await filesIn('My App')).toEqual(PLAIN)
  const description = JSON.parse(await readFile(join(directory, 'My App/package.json'), 'utf8'))
  expect(description).toMatchObject({
    name: 'my-app',
    scripts: {
      dev: 'rookery dev --app ./app.js',
      start: 'rookery start --app ./app.js',
      test: 'node --test',
    },
    dependencies: { rookery: expect.stringMatching(/^\^\d/) },
  })
  const readme = await readFile(join(directory, 'My App/README.md'), 'utf8')
  expect(readme).toMatch(/^# my-app\n[\s\S]*`app\.js`/)
  expect(readme).not.toContain('{{')
})

test('files that are there are named, and none is written', async () => {
  const there = join(directory, 'there')
  await mkdir(there)
  await writeFile(join(there, 'app.js'), 'mine')
  await writeFile(join(there, 'README.md'), 'mine')
  const { code, stderr } = await rookery(['init', '--js'], { cwd: there })
  expect([code, stderr]).toEqual([
    exitCodes.usage.code,
    expect.stringContaining('has README.md, app.js already'),
  ])
  expect(await filesIn('there')).toEqual(['README.md', 'app.js'])
  expect(await readFile(join(there, 'app.js'), 'utf8')).toBe('mine')
  expect((await rookery(['init', './there/app.js'], { cwd: directory })).code).toBe(exitCodes.usage.code)
})

test.runIf(typed !== undefined)('in TypeScript where Node.js runs it', async () => {
  expect((await run(typed ?? '', [MAIN, 'init', 'typed'], { cwd: directory })).code).toBe(0)
  expect(await filesIn('typed')).toEqual([
    '.gitignore',
    'README.md',
    'app.test.ts',
    'app.ts',
    'package.json',
    'tsconfig.json',
  ])
})
