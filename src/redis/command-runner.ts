/**
 * Runs commands with a time limit and a limit of commands in flight, and translates failures to
 * `RookeryError`. While Redis does not answer, calls are refused at once.
 */
import { DeadlineSet } from '../core/deadline-set.ts'
import { RookeryError } from '../wire/errors.ts'
import type { RedisCommands } from './clients.ts'
import type { RedisMetrics } from './metrics.ts'
import { isReply, willPass } from './script.ts'

/** Limit of commands that Redis has not answered yet. */
const IN_FLIGHT_MAX = 20_000

export interface RunnerOptions {
  readonly commands: RedisCommands
  readonly timeoutMs: number
  readonly metrics: RedisMetrics
  /** Why commands are refused now; `null` if they are not. */
  readonly refusal: () => string | null
}

interface Call {
  reject(error: RookeryError): void
}

export class CommandRunner {
  readonly #commands: RedisCommands
  readonly #metrics: RedisMetrics
  readonly #refusal: () => string | null
  readonly #deadlines: DeadlineSet<Call>
  #inFlight = 0

  constructor({ commands, timeoutMs, metrics, refusal }: RunnerOptions) {
    this.#commands = commands
    this.#metrics = metrics
    this.#refusal = refusal
    this.#deadlines = new DeadlineSet<Call>({
      limitMs: timeoutMs,
      onOverdue: (call) => call.reject(unavailable(`Redis has not answered within ${timeoutMs} ms`)),
      now: () => performance.now(),
    })
  }

  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T> {
    return this.#counted(this.#bounded(work))
  }

  /** Rejects all open calls. */
  close(): void {
    for (const call of this.#deadlines.clear()) call.reject(unavailable('the connection to Redis is closed'))
  }

  async #counted<T>(outcome: Promise<T>): Promise<T> {
    try {
      const answer = await outcome
      this.#metrics.commands.inc({ outcome: 'ok' })
      return answer
    } catch (error) {
      const translated = translate(error)
      this.#metrics.commands.inc({ outcome: translated instanceof RookeryError ? translated.code : 'thrown' })
      throw translated
    }
  }

  #bounded<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T> {
    const refusal = this.#refusal()
    if (refusal !== null) return Promise.reject(unavailable(refusal))
    if (this.#inFlight >= IN_FLIGHT_MAX) return Promise.reject(unavailable('Redis does not keep up'))
    return new Promise<T>((resolve, reject) => {
      const call: Call = { reject }
      this.#deadlines.add(call)
      // Counts until Redis has answered, even if the caller no longer waits.
      this.#inFlight += 1
      this.#metrics.inFlight.set(this.#inFlight)
      this.#start(work)
        .then(resolve, reject)
        .finally(() => this.#ended(call))
    })
  }

  async #start<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T> {
    return work(this.#commands)
  }

  #ended(call: Call): void {
    this.#deadlines.delete(call)
    this.#inFlight -= 1
    this.#metrics.inFlight.set(this.#inFlight)
  }
}

function translate(error: unknown): unknown {
  if (error instanceof RookeryError || !(error instanceof Error) || isMistake(error)) return error
  if (!isReply(error) || willPass(error.message)) {
    return new RookeryError('unavailable', `Redis: ${error.message}`, { cause: error })
  }
  return new RookeryError('internal', `Redis: ${error.message}`, { cause: error })
}

/** A programming error in `work`. */
function isMistake(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}

const unavailable = (message: string) => new RookeryError('unavailable', message)
