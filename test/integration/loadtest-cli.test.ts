/** The command line as a user sees it: its output, its errors, and what Ctrl-C leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunResult } from '../../loadtest/model/result.ts'
import { EXIT_CODES } from '../../loadtest/run/exit-codes.ts'
import { SCENARIOS } from '../../loadtest/scenarios/index.ts'
import { targets } from '../../loadtest/targets/index.ts'
import { plainEnvironment, run } from '../harness/command.ts'
import { until } from '../harness/until.ts'

const MAIN = fileURLToPath(new URL('../../dist/tools/loadtest/main.js', import.meta.url))

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-loadtest-cli-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const loadtest = (...args: string[]) => run(process.execPath, [MAIN, ...args], { cwd: directory })

test('--help names the commands and every exit code', async () => {
  const { code, stdout } = await loadtest('--help')
  expect(code).toBe(0)
  for (const command of ['tour', 'run', 'list', 'compare', 'report'])
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  for (const { code: number, meaning } of Object.values(EXIT_CODES)) {
    expect(stdout).toMatch(new RegExp(`^  ${number} +${meaning}$`, 'm'))
  }
})

test('list shows every scenario with its checks, and every target', async () => {
  const { code, stdout } = await loadtest('list')
  expect(code).toBe(0)
  const words = stdout.replaceAll(/\s+/g, ' ')
  for (const { name, invariant } of SCENARIOS) {
    expect(words).toContain(` ${name} `)
    expect(words).toContain(invariant)
  }
  for (const { name, title } of targets) expect(words).toContain(`${name} ${title}`)
})

test('list --json prints JSON for programs', async () => {
  const { code, stdout } = await loadtest('list', '--json')
  expect(code).toBe(0)
  const { scenarios, http, targets: aims } = JSON.parse(stdout)
  expect(scenarios.map(({ name }: { name: string }) => name)).toEqual(SCENARIOS.map(({ name }) => name))
  expect(http.length).toBe(4)
  expect(aims.map(({ name }: { name: string }) => name)).toEqual(targets.map(({ name }) => name))
})

describe('is refused, with a helpful message and exit code 2:', () => {
  test.each([
    ['an unknown scenario', ['run', 'smal-rooms'], /did you mean small-rooms\?/],
    [
      'an unknown target',
      ['run', 'small-rooms', '--target', 'sticky'],
      /there is no target 'sticky'.*sticky-cluster/,
    ],
    ['an unknown command', ['rum'], /did you mean run|too many arguments|unknown command/i],
    ['an unknown flag', ['run', 'small-rooms', '--client', '3'], /did you mean --clients\?/i],
    ['an invalid number', ['run', 'small-rooms', '--clients', 'many'], /--clients: /],
    ['an invalid kind', ['run', 'small-rooms', '--kind', 'browser'], /raw, stock/],
    [
      'a topology that the target does not support',
      ['run', 'small-rooms', '--target', 'one-process', '--workers', '4'],
      /at most 1 worker per host/,
    ],
    ['a remote target without an address', ['run', 'small-rooms', '--target', 'url'], /needs --url/],
    ['an invalid address', ['run', 'small-rooms', '--url', 'chat.example'], /--url/],
    [
      'a fault on servers that it did not start',
      ['run', 'worker-kills', '--url', 'http://127.0.0.1:9'],
      /nothing is done to servers/,
    ],
    ['--p99 without a search', ['run', 'small-rooms', '--p99', '5'], /--find-limit/],
    ['a rate below one per connection', ['run', 'http-page', '--clients', '10', '--rate', '9'], /--rate/],
    ['a page load with rooms', ['run', 'http-page', '--room-size', '9'], /does not take roomSize/],
    ['an API without a key', ['run', 'http-publish', '--url', 'http://127.0.0.1:9'], /--api-key/],
    [
      'a comparison of different protocols',
      ['compare', 'small-rooms', '--a', 'bare-ws', '--b', 'rookery'],
      /no dialect in common/,
    ],
    ['a comparison with itself', ['compare', 'small-rooms', '--a', 'rookery', '--b', 'rookery'], /the same/],
    ['a comparison of one target', ['compare', 'small-rooms', '--a', 'rookery'], /--b/],
  ])('%s', async (_what, args, message) => {
    const { code, stdout, stderr } = await loadtest(...args)
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: EXIT_CODES.usage.code, stdout: '' })
  })
})

test('a file that is not a report is refused', async () => {
  const { code, stderr } = await loadtest('report', MAIN)
  expect(code).toBe(EXIT_CODES.invalid.code)
  expect(stderr).toMatch(/is not JSON/)
})

/** In its own process group, which receives a terminal's signal as a whole. */
function start(...args: string[]): { child: ChildProcess; output: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: plainEnvironment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => (output.stdout += chunk))
  child.stderr?.on('data', (chunk) => (output.stderr += chunk))
  return { child, output }
}

const pressCtrlC = (child: ChildProcess) => process.kill(-Number(child.pid), 'SIGINT')

describe('Ctrl-C', () => {
  const long = [
    'run',
    'small-rooms',
    '--clients',
    '20',
    '--rate',
    '20',
    '--duration',
    '600',
    '--json',
    '--out',
    'interrupted',
  ]

  test('ends the load early, and the report covers the load until then', async () => {
    const { child, output } = start(...long)
    const closed = once(child, 'close')
    await until(
      () => /[1-9]\d* deliveries\/s/.test(output.stderr) || child.exitCode !== null,
      'a message is delivered',
      () => output.stderr,
    )
    pressCtrlC(child)
    const [code] = await closed
    expect(code, output.stderr).toBe(EXIT_CODES.interrupted.code)
    const result = RunResult.parse(JSON.parse(output.stdout))
    expect(result.interrupted).toBe(true)
    expect(result.verdict).toMatchObject({ ok: true, lost: 0, doubled: 0, phantom: 0 })
    expect(result.verdict.delivered).toBeGreaterThan(0)
    // Servers that had received the signal would have died of it.
    expect(result.invalid.filter((why) => /ended/.test(why))).toEqual([])
    const shown = await loadtest('report', 'interrupted')
    expect(shown.stdout).toMatch(/\(interrupted\)/)
  })

  test('pressed twice ends at once, with the servers', async () => {
    const { child, output } = start(...long)
    const closed = once(child, 'close')
    await until(
      () => /load \d+\/s/.test(output.stderr) || child.exitCode !== null,
      'the load begins',
      () => output.stderr,
    )
    // Two signals of the same kind might arrive as one.
    pressCtrlC(child)
    child.kill('SIGTERM')
    expect(await closed).toEqual([null, 'SIGINT'])
    expect(output.stdout).toBe('')
    const [, address = ''] = /host 0 at (http\S+)/.exec(output.stderr) ?? []
    await until(() => isGone(address), `nobody serves ${address}`)
  })
})

async function isGone(address: string): Promise<boolean> {
  try {
    await (await fetch(address)).text()
    return false
  } catch (error) {
    if (error instanceof TypeError && error.cause instanceof Error) return true
    throw error
  }
}
