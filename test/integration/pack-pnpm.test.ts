/**
 * The package in an empty project of pnpm, where a package finds only what it declares, on each supported version of
 * Node.js: an application in JavaScript on the oldest, in TypeScript where Node.js runs it.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startRookery } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'
import { supportedNodes } from '../harness/node-versions.ts'
import { emptyProject, pack, pnpm } from '../harness/package-managers.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const FIXTURES = new URL('../fixtures/pack/', import.meta.url).pathname
const LOAD_TEST = ['autocannon', 'hdr-histogram-js', 'pure-rand', 'uplot']

let project: string
let main: string

beforeAll(async () => {
  project = await emptyProject()
  const { tarball } = await pack(project)
  await pnpm(['add', tarball, ...LOAD_TEST], project)
  await cp(FIXTURES, project, { recursive: true })
  main = join(project, 'node_modules/rookery/dist/main.js')
}, 300_000)

afterAll(() => rm(project, { recursive: true, force: true }))

describe.each(supportedNodes)('on Node.js $version', ({ major, path }) => {
  it('an application runs in both workers', async () => {
    const [app, url] = major < 22 ? ['./app.js', '/socket.io'] : ['./typed.ts', '/live']
    const rookery = await startRookery({ node: path, main, cwd: project, args: ['--app', app] })
    const sockets: Socket[] = []
    onTestFinished(async () => {
      for (const socket of sockets) socket.close()
      expect(await rookery.stop()).toBe(0)
      expect(rookery.otherOutput, 'warnings of Node.js').toEqual([])
    })
    const workers = Array.from({ length: 4 }, () => {
      const socket = io(rookery.url, { path: url, forceNew: true })
      sockets.push(socket)
      return new Promise((resolve) => socket.once('welcome', resolve))
    })
    expect(new Set(await Promise.all(workers)).size).toBe(2)
  })
})

it('finds its types', async () => {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck']
  const types = ['--typeRoots', join(ROOT, 'node_modules', '@types'), '--types', 'node']
  const { code, stdout } = await run(tsc, [...options, ...types, 'typed.ts'], { cwd: project })
  expect([code, stdout]).toEqual([0, ''])
})

it('the load test runs with the packages that it asks for', async () => {
  const load = [
    '--target',
    'one-process',
    '--dialect',
    'bench',
    '--clients',
    '4',
    '--duration',
    '1',
    '--json',
  ]
  const command = join(project, 'node_modules/.bin/rookery-loadtest')
  const result = await run(command, ['run', 'small-rooms', ...load], { cwd: project })
  // On a busy machine a run may be invalid (3), but never have another error.
  expect([[0, 3].includes(result.code ?? -1), result.stderr]).toEqual([true, expect.any(String)])
  const { verdict } = JSON.parse(result.stdout) as { verdict: { ok: boolean; delivered: number } }
  expect(verdict.ok).toBe(true)
  expect(verdict.delivered).toBeGreaterThan(0)
})
