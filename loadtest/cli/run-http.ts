/** `run http-…`: HTTP requests of one kind, by autocannon. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import type { HttpResult } from '../http/http-result.ts'
import { httpTable, runStatusOf } from '../http/http-table.ts'
import { type HttpRunRequest, runHttp as work } from '../http/run-http.ts'
import type { HttpScenario, HttpSettings } from '../http/scenarios.ts'
import { RESULTS_DIRECTORY } from '../report/files.ts'
import { EXIT_CODES, UsageError } from '../run/exit-codes.ts'
import { targetNamed } from '../run/request/names.ts'
import { type RunFlags, targetRequestOf } from '../run/request/request.ts'
import { withCommandContext } from './command-context.ts'
import type { Flags } from './flags.ts'
import { type Output, outputFrom, parseFlags, runFlagsFrom } from './flags.ts'
import { canvas, codeOf } from './output.ts'

const HttpFlags = z.object({ apiKey: z.string().min(1).optional() })
/** Flags that do not apply to HTTP requests. */
const LOAD_FLAGS = [
  'roomSize',
  'textLength',
  'kind',
  'transport',
  'arrivals',
  'ramp',
  'agents',
  'seed',
] as const
const OTHER_FLAGS = ['findLimit', 'p99', 'seeds'] as const

/** @returns the exit code */
export async function runHttp(scenario: HttpScenario, flags: Flags): Promise<number> {
  const output = outputFrom(flags)
  const { apiKey } = parseFlags(HttpFlags, flags)
  const runFlags = runFlagsFrom(flags, [...OTHER_FLAGS, 'apiKey'])
  const given = [...LOAD_FLAGS, ...OTHER_FLAGS].filter((name) => flags[name] !== undefined)
  if (given.length > 0) throw new UsageError(`${scenario.name} does not take ${given.join(', ')}`)
  const request = requestFor(scenario, runFlags, apiKey)
  const result = await withCommandContext((context) =>
    work(request, context.observer(request.settings.connections)),
  )
  return writeResult(result, output)
}

function requestFor(scenario: HttpScenario, runFlags: RunFlags, apiKey: string | undefined): HttpRunRequest {
  const target = targetNamed(runFlags.target ?? (runFlags.url === undefined ? 'rookery' : 'url'))
  const place = targetRequestOf({ name: scenario.name, minHosts: 1, minWorkers: 1 }, target, runFlags)
  if (!scenario.dialects.includes(place.dialect))
    throw new UsageError(
      `${scenario.name} needs a server of the dialect ${scenario.dialects.join(' or ')}, not ${place.dialect}`,
    )
  if (target.name === 'url' && scenario.needsKey && apiKey === undefined)
    throw new UsageError(`${scenario.name} needs the server's --api-key`)
  if (target.name !== 'url' && apiKey !== undefined)
    throw new UsageError('--api-key is for --url: servers that this tool starts get a key of their own')
  return { scenario, settings: settingsOf(scenario, runFlags), apiKey, ...place }
}

function settingsOf({ name, defaults }: HttpScenario, runFlags: RunFlags): HttpSettings {
  const connections = runFlags.clients ?? defaults.connections
  const ratePerSec = runFlags.rate ?? defaults.ratePerSec
  const durationSec = runFlags.duration ?? defaults.durationSec
  if (!Number.isInteger(ratePerSec) || ratePerSec < connections)
    throw new UsageError(
      `${name}: each connection sends at least once a second, so --rate must be a whole number of at least --clients (${connections}), not ${ratePerSec}`,
    )
  return { connections, ratePerSec, durationSec }
}

async function writeResult(result: HttpResult, output: Output): Promise<number> {
  const cwd = process.cwd()
  const name = `${result.startedAt.slice(0, 19).replaceAll(':', '')}-${result.scenario.name}-${result.target.name}`
  const directory = resolve(cwd, output.out ?? join(RESULTS_DIRECTORY, name))
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'result.json')
  await writeFile(file, `${JSON.stringify(result)}\n`)
  const written = `Result: ${relative(cwd, file)}`
  if (output.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    process.stderr.write(`${written}\n`)
  } else process.stdout.write(`${httpTable(result, canvas()).join('\n')}\n\n${written}\n`)
  return result.interrupted ? EXIT_CODES.interrupted.code : codeOf(runStatusOf(result))
}
