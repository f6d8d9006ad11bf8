/** The command line as a program: any settings and arguments end in a documented exit code and a message. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { environmentName } from '../../src/config/setting.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { type CommandResult, rookery } from '../harness/command.ts'
import { fuzzLive } from '../harness/fuzz/runs.ts'
import { anySettings } from '../harness/fuzz/settings.ts'

const { ok, usage, configuration } = exitCodes

let cwd: string

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rookery-fuzz-'))
})
afterAll(() => rm(cwd, { recursive: true }))

/** Words, not a stack. */
function expectTold({ stdout, stderr }: CommandResult): void {
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .+:\d+/m)
  expect(`${stdout}${stderr}`).not.toBe('')
}

/** Values that an environment can hold. */
const environment = anySettings
  .map((settings) => settings.map(([key, text]) => [environmentName(key), text] as const))
  .map((pairs) => pairs.filter(([, text]) => !/[\0\p{Cs}]/u.test(text)))
  .map((pairs): Record<string, string> => Object.fromEntries(pairs))

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig({ env })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ setting }) => setting)
    throw error
  }
}

it('config check with any environment succeeds, or exits with code 3 and names every problem', async () => {
  await fuzzLive(environment, 12, async (env) => {
    const problems = problemsOf(env)
    const result = await rookery(['config', 'check'], { env, cwd })
    expect(result.code).toBe(problems.length === 0 ? ok.code : configuration.code)
    for (const name of problems) expect(result.stderr).toContain(name)
    expectTold(result)
  })
})

it('start with invalid settings exits with code 3 and names every problem', async () => {
  const refused = environment.filter((env) => problemsOf(env).length > 0)
  await fuzzLive(refused, 3, async (env) => {
    const result = await rookery(['start'], { env, cwd })
    expect(result.code).toBe(configuration.code)
    for (const name of problemsOf(env)) expect(result.stderr).toContain(name)
    expectTold(result)
  })
})

/** None of these commands starts anything. */
const argument = fc.oneof(
  fc.constantFrom(
    'config',
    'check',
    'print',
    'token',
    '--sub',
    '--expires',
    '--port',
    '--help',
    '-V',
    '--',
    '--json',
    '--prot',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '--__proto__=1',
    '--=',
    '-',
    '',
    '--port=abc',
    '--config=/nowhere',
    '\ud800',
  ),
  fc.string({ maxLength: 20 }).filter((text) => !text.includes('\0')),
)

it('any arguments give help, the requested output, or an exit code that says what is wrong', async () => {
  await fuzzLive(fc.array(argument, { maxLength: 4 }), 15, async (args) => {
    const result = await rookery(args, { cwd })
    expect([ok.code, usage.code, configuration.code]).toContain(result.code)
    expectTold(result)
  })
})
