/** A run's options: flags checked against each other and against what scenario and target support. Pure. */
import { z } from 'zod'
import { countOf } from '../../../src/core/count-of.ts'
import { ClientKind, Dialect, Transport } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import type { Target, TargetShape } from '../../model/target.ts'
import { UsageError } from '../exit-codes.ts'

/** Limits of what can be requested, not of what a machine can do. */
const MAX_CLIENTS = 100_000
const MAX_SECONDS = 24 * 3_600

const number = (text: z.ZodNumber) => z.coerce.number().pipe(text)
const count = (most: number) => number(z.int().min(1).max(most))

/**
 * Given several times, or once with commas as in a result; a comma not followed by a name or address is part
 * of the value.
 */
const listed = z
  .array(z.string())
  .transform((texts) => texts.flatMap((text) => text.split(/,(?=[A-Z_][A-Z0-9_]*=|[a-z]+:\/\/)/)))

/** Flags; absent ones default to the scenario's or target's values. */
export const RunFlags = z.strictObject({
  target: z.string().optional(),
  hosts: count(64).optional(),
  workers: count(64).optional(),
  clients: count(MAX_CLIENTS).optional(),
  rate: number(z.number().positive().max(1_000_000)).optional(),
  duration: number(z.number().min(1).max(MAX_SECONDS)).optional(),
  roomSize: count(MAX_CLIENTS).optional(),
  textLength: number(z.int().min(32).max(4_000)).optional(),
  kind: ClientKind.optional(),
  transport: Transport.optional(),
  arrivals: z.enum(['even', 'poisson']).optional(),
  ramp: number(z.number().min(0).max(MAX_SECONDS)).optional(),
  dialect: Dialect.optional(),
  url: listed.pipe(z.array(z.url({ protocol: /^(https?|wss?)$/ }))).optional(),
  seed: number(
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  ).optional(),
  agents: count(64).optional(),
  env: listed.pipe(z.array(z.string().regex(/^[A-Z_][A-Z0-9_]*=/, 'must be NAME=value'))).optional(),
})
export type RunFlags = z.infer<typeof RunFlags>

export interface RunRequest {
  scenario: Scenario
  target: Target
  settings: ScenarioSettings
  kind: ClientKind
  agents: number
  env: Readonly<Record<string, string>>
  /** Named by the user: requests go only to these and to loopback addresses. */
  urls: readonly string[]
}

/** Defaults that are drawn or looked up. */
export interface FlagDefaults {
  seed: number
  agents: number
}

export interface TargetRequest {
  target: Target
  shape: TargetShape
  dialect: Dialect
  env: Readonly<Record<string, string>>
  urls: readonly string[]
  needs: Scenario['needs']
}

/** @throws UsageError */
export function requestOf(
  scenario: Scenario,
  target: Target,
  asked: RunFlags,
  given: FlagDefaults,
): RunRequest {
  const { shape, dialect, env, urls } = targetRequestOf(scenario, target, asked)
  const { kind, ...defaults } = scenario.defaults
  const settings: ScenarioSettings = {
    clients: asked.clients ?? defaults.clients,
    ratePerSec: asked.rate ?? defaults.ratePerSec,
    durationSec: asked.duration ?? defaults.durationSec,
    roomSize: asked.roomSize ?? defaults.roomSize,
    textLength: asked.textLength ?? defaults.textLength,
    transport: asked.transport ?? defaults.transport,
    arrivals: asked.arrivals ?? defaults.arrivals,
    rampSec: asked.ramp ?? defaults.rampSec,
    seed: asked.seed ?? given.seed,
    shape,
    dialect,
  }
  const agents = Math.min(asked.agents ?? given.agents, settings.clients)
  const request = { scenario, target, settings, kind: asked.kind ?? kind, agents, env, urls }
  refuseContradictions(request)
  return request
}

/** Where the run takes place. @throws UsageError */
export function targetRequestOf(least: ScenarioRequirements, target: Target, asked: RunFlags): TargetRequest {
  const urls = asked.url ?? []
  if (urls.length > 0 !== (target.name === 'url'))
    throw new UsageError(
      urls.length > 0
        ? `--url goes with --target url, not ${target.name}`
        : 'the target url needs --url <address>',
    )
  const { env: usual = {}, needs = [] } = least
  const env = { ...usual, ...envOf(asked) }
  if (target.name === 'url' && asked.env !== undefined)
    throw new UsageError('--env is for servers that this tool starts, not for --url')
  return { target, shape: shapeOf(least, target, asked), dialect: dialectOf(target, asked), env, urls, needs }
}

type ScenarioRequirements = Pick<Scenario, 'name' | 'minHosts' | 'minWorkers'> &
  Partial<Pick<Scenario, 'env' | 'needs'>>

function shapeOf(scenario: ScenarioRequirements, target: Target, asked: RunFlags): TargetShape {
  const { limits, defaultShape } = target
  const hosts = asked.url?.length ?? asked.hosts ?? Math.max(defaultShape.hosts, scenario.minHosts)
  const workersPerHost = asked.workers ?? Math.max(defaultShape.workersPerHost, scenario.minWorkers)
  if (hosts > limits.hosts) throw beyond(`${target.name} has at most ${countOf(limits.hosts, 'host')}`, hosts)
  if (hosts < scenario.minHosts)
    throw beyond(`${scenario.name} needs at least ${countOf(scenario.minHosts, 'host')}`, hosts)
  if (target.name === 'url') return { hosts, workersPerHost }
  if (workersPerHost > limits.workersPerHost)
    throw beyond(
      `${target.name} has at most ${countOf(limits.workersPerHost, 'worker')} per host`,
      workersPerHost,
    )
  if (workersPerHost < scenario.minWorkers)
    throw beyond(
      `${scenario.name} needs at least ${countOf(scenario.minWorkers, 'worker')} per host`,
      workersPerHost,
    )
  return { hosts, workersPerHost }
}

const beyond = (rule: string, asked: number) => new UsageError(`${rule}, not ${asked}`)

function dialectOf(target: Target, asked: RunFlags): Dialect {
  const [usual] = target.dialects
  const dialect = asked.dialect ?? usual
  if (dialect !== undefined && target.dialects.includes(dialect)) return dialect
  throw new UsageError(`${target.name} speaks ${target.dialects.join(' or ')}, not ${dialect}`)
}

function envOf({ env = [] }: RunFlags): Record<string, string> {
  return Object.fromEntries(
    env.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function refuseContradictions({ scenario, target, settings, kind }: RunRequest): void {
  const { dialect, transport } = settings
  if (dialect === 'bare' && (kind === 'stock' || transport !== 'websocket'))
    throw new UsageError(
      `bare WebSockets support only raw clients and the transport websocket, not ${kind}, ${transport}`,
    )
  if (kind === 'stock' && scenario.name === 'slow-readers')
    throw new UsageError('slow-readers needs raw clients: a stock client can’t stop reading')
  if (target.name === 'url' && scenario.needs.length > 0)
    throw new UsageError(
      `${scenario.name} needs ${scenario.needs.join(' and ')}: nothing is done to servers that run elsewhere`,
    )
}

/** All options by flag name, defaults included, for the result and for repeating the run. */
export function argumentsOf({
  target,
  settings,
  kind,
  agents,
  env,
  urls,
}: RunRequest): Record<string, string | number> {
  return {
    target: target.name,
    hosts: settings.shape.hosts,
    workers: settings.shape.workersPerHost,
    clients: settings.clients,
    rate: settings.ratePerSec,
    duration: settings.durationSec,
    roomSize: settings.roomSize,
    textLength: settings.textLength,
    kind,
    transport: settings.transport,
    arrivals: settings.arrivals,
    ramp: settings.rampSec,
    dialect: settings.dialect,
    agents,
    ...(Object.keys(env).length === 0
      ? {}
      : { env: joined(Object.entries(env).map((pair) => pair.join('='))) }),
    ...(urls.length === 0 ? {} : { url: joined(urls.map(withoutSecrets)) }),
  }
}

const SEPARATOR = ','
const joined = (words: readonly string[]): string => words.join(SEPARATOR)

/** Results are meant to be shared. */
function withoutSecrets(address: string): string {
  const url = new URL(address)
  return `${url.protocol}//${url.host}${url.pathname}`
}
