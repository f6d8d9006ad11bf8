/**
 * `rookery emit`: emits an event to clients of the whole cluster, through POST /emit of the Rookery that runs on a
 * data directory, or of the one at `--url`.
 */
import { z } from 'zod'
import { ExitError } from '../ops/exit-codes.ts'
import { runningHost } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { fetchFailure, permitted } from './own-host.ts'

const ANSWER_TIMEOUT_MS = 10_000

const Emitted = z.object({ ok: z.literal(true), hosts: z.int() })
const Refusal = z.object({ ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) })

export interface EmitOptions {
  readonly namespace: string
  readonly room: readonly string[]
  readonly except: readonly string[]
  readonly volatile?: true
  readonly url?: string
  readonly json?: true
  readonly dataDir?: string
  readonly config?: string
}

export interface EmitArguments {
  event: string
  /** JSON texts. */
  args: readonly string[]
}

export async function emit(
  line: CommandLine,
  { event, args }: EmitArguments,
  options: EmitOptions,
): Promise<void> {
  const { namespace, room, except, volatile = false } = options
  const values = args.map(parseArgument)
  const body = {
    namespace,
    ...(room.length === 0 ? {} : { rooms: room }),
    ...(except.length === 0 ? {} : { except }),
    event,
    args: values,
    volatile,
  }
  const { config } = loadFrom(line, settingsOf(options))
  const token = config.emitToken
  if (token === undefined)
    throw new ExitError('configuration', 'the token is missing: set EMIT_TOKEN, as the host has it')
  const base = options.url ?? adminUrlOf(config.dataDir)
  const { hosts } = await post(emitUrl(base), token, body)
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ok: true, hosts })}\n`)
  else process.stdout.write(`emitted, on ${hosts === 1 ? 'one host' : `${hosts} hosts`}\n`)
}

function settingsOf({ config, dataDir }: EmitOptions): Options {
  return { ...(config === undefined ? {} : { config }), ...(dataDir === undefined ? {} : { dataDir }) }
}

function parseArgument(text: string, index: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `argument ${index + 1} after the event, ${text}, is not JSON; a text has quotes of its own: '"hello"'`
    throw new ExitError('usage', message, { cause })
  }
}

function adminUrlOf(dataDir: string): string {
  const host = permitted(dataDir, () => runningHost(dataDir))
  if (host === undefined)
    throw new ExitError('notRunning', `no Rookery runs on DATA_DIR ${dataDir}; --url names one elsewhere`)
  if (host.adminUrl === '') throw new ExitError('notRunning', `process ${host.pid} is starting or stopping`)
  return host.adminUrl
}

function emitUrl(base: string): string {
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
    throw new ExitError('usage', `--url ${base} is no URL of an admin listener such as http://10.0.0.5:9464`)
  return `${base.replace(/\/+$/, '')}/emit`
}

async function post(url: string, token: string, body: object): Promise<z.infer<typeof Emitted>> {
  const { status, answer } = await ask(url, token, body)
  const emitted = Emitted.safeParse(answer)
  if (emitted.success) return emitted.data
  const refusal = Refusal.safeParse(answer)
  if (!refusal.success) throw new ExitError('notRunning', `${url} is no Rookery: it answered ${status}`)
  const { code, message } = refusal.data.error
  throw new ExitError('emitRefused', `${url} refuses (${code}): ${message}`)
}

async function ask(url: string, token: string, body: object): Promise<{ status: number; answer: unknown }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    const text = await response.text()
    return { status: response.status, answer: jsonIn(text) }
  } catch (error) {
    throw new ExitError('notRunning', `no answer from ${url}: ${fetchFailure(error)}`, { cause: error })
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
