/** `rookery dev`: a change restarts the application, code that does not start leaves the one before it in service. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { MAIN, plainEnvironment, run } from '../harness/command.ts'
import { otherNodes } from '../harness/node-versions.ts'
import { until } from '../harness/until.ts'

let directory: string
let host: ChildProcess | undefined
let output: string

/** Answers with its version, which a file of its own names. */
const APP = `import { version } from './parts/version.mjs'
export default (io, { http }) => {
  http.get('/version', (c) => c.text(version))
  io.on('connection', (socket) => socket.emit('version', version))
}
`
const version = (text: string) => `export const version = '${text}'\n`

const write = (name: string, text: string) => writeFile(join(directory, name), text)

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-dev-'))
  await mkdir(join(directory, 'parts'))
  await write('package.json', '{}')
  await write('app.mjs', APP)
  await write('parts/version.mjs', version('one'))
})
afterEach(async () => {
  if (host !== undefined && host.exitCode === null && host.signalCode === null) {
    const ended = once(host, 'exit')
    host.kill('SIGKILL')
    await ended
  }
  host = undefined
  await rm(directory, { recursive: true, force: true, maxRetries: 10 })
})

function start(args: readonly string[] = [], node = process.execPath): ChildProcess {
  output = ''
  const child = spawn(node, [MAIN, 'dev', '--port', '0', ...args], {
    cwd: directory,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  host = child
  return child
}

const shows = (text: string | RegExp, from = 0) =>
  until(
    () => output.slice(from).search(text) !== -1,
    `it shows ${String(text)}`,
    () => output,
  )

/** The address that it prints, when changes are seen. */
async function opened(): Promise<string> {
  await shows(/open http:\S+\/: /)
  return /open (http:\S+)\/: /.exec(output)?.[1] ?? ''
}

const versionAt = async (url: string) =>
  (await fetch(`${url}/version`, { headers: { Connection: 'close' } })).text()

test('a change of any source brings new code, a broken one leaves the old in service', async () => {
  const child = start()
  const url = await opened()
  expect(await versionAt(url)).toBe('one')
  const socket = io(url, { reconnectionDelay: 10, reconnectionDelayMax: 10 })
  try {
    expect(await new Promise((resolve) => socket.once('version', resolve))).toBe('one')

    const next = new Promise((resolve) => socket.once('version', resolve))
    await write('parts/version.mjs', version('two'))
    expect(await next).toBe('two')
    expect(await versionAt(url)).toBe('two')
    expect(output).toContain('parts/version.mjs changed')

    let closed = false
    socket.once('disconnect', () => {
      closed = true
    })
    await write('parts/version.mjs', "export const version = 'three\n")
    await shows('app.mjs does not start: the code before it goes on')
    // Node.js itself would not name the file.
    await shows(/parts\/version\.mjs:1\s+export const version = 'three/)
    expect(await versionAt(url)).toBe('two')
    expect(closed).toBe(false)

    const mended = new Promise((resolve) => socket.once('version', resolve))
    await write('parts/version.mjs', version('four'))
    expect(await mended).toBe('four')
    expect(await versionAt(url)).toBe('four')
  } finally {
    socket.disconnect()
  }
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})

test('an application that is broken at the start waits for a change; tests and data are no sources', async () => {
  await write('app.mjs', 'this is no JavaScript\n')
  start(['--app', './app.mjs', '--watch', './notes.txt'])
  await shows('app.mjs does not start: the next change tries again')
  await write('app.mjs', APP)
  const url = await opened()
  expect(await versionAt(url)).toBe('one')

  await write('app.test.mjs', 'a test')
  await write('data/a.json', '{}')
  await write('notes.txt', 'watched by name')
  await shows('notes.txt changed')
  await shows('app.mjs runs anew')
  expect(output).not.toMatch(/app\.test\.mjs|a\.json/)
})

test('an error names the line of the source, and the log is for people', async () => {
  // Line 1 of the code is line 10 of its source.
  const map = {
    version: 3,
    sources: ['original.ts'],
    sourcesContent: ['\n'.repeat(20)],
    names: [],
    mappings: 'AASA',
  }
  const comment = `//# sourceMappingURL=data:application/json;base64,${btoa(JSON.stringify(map))}`
  await write('app.mjs', `export default () => { throw new Error('a fault') }\n${comment}\n`)
  start()
  await shows('does not start')
  expect(output).toMatch(/original\.ts:10:/)
  expect(output).toMatch(/^\[[\d:.]+\] ERROR/m)
  expect(output).not.toContain('{"level"')
})

test('without an application it says what to do', async () => {
  await rm(join(directory, 'app.mjs'))
  const { code, stderr } = await run(process.execPath, [MAIN, 'dev'], { cwd: directory })
  expect([code, stderr]).toEqual([
    exitCodes.usage.code,
    expect.stringContaining('--app names no application'),
  ])
})

test.runIf(otherNodes.some(({ major }) => major >= 24))(
  'TypeScript runs where Node.js strips types',
  async () => {
    const node = otherNodes.find(({ major }) => major >= 24)?.path
    await rm(join(directory, 'app.mjs'))
    const typed = "const version: string = 'typed'\n"
    await write(
      'app.mts',
      `${typed}export default (_io: object, { http }: any) => http.get('/version', (c: any) => c.text(version))\n`,
    )
    start([], node)
    const url = await opened()
    expect(await versionAt(url)).toBe('typed')
  },
)
