/** What a test can choose of its cluster. */

export interface ClusterOptions {
  /** The application's module: a path, seen from `cwd`, or a `file:` URL. Unset: the chat. */
  app?: string | URL | undefined
  /** Worker processes; 2 unless given. */
  workers?: number | undefined
  /**
   * Variables for the cluster's processes, added to those of the test; undefined takes one away. Settings by
   * their names in docs/settings.md: `{ MAX_PACKET_BYTES: '5000' }`.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** Joins clusters with the same Redis as hosts of one. The test's own REDIS_URL is not used. */
  redisUrl?: string | undefined
  /** The lowest level in `logs`; `info` unless given. */
  logLevel?: 'trace' | 'debug' | 'info' | undefined
  /** Working directory of the processes; the test's unless given. */
  cwd?: string | URL | undefined
  /** Flags of Node.js itself for all processes: `['--import', 'tsx']`. */
  nodeArgs?: readonly string[] | undefined
  /** Longest wait for the start, a reload, a replaced worker or the stop, in milliseconds; 60,000 unless given. */
  timeoutMs?: number | undefined
  /** Stops the cluster when it aborts. */
  signal?: AbortSignal | undefined
}

/** Lines of the log in the message of an error. */
const SHOWN_LINES = 20

/** The cluster did not start. The message has the reason, and the last lines of the log. */
export class ClusterStartError extends Error {
  /** Why: what the application threw, say. */
  readonly reason: string
  /** With which the process ended; null if it had not ended by itself. */
  readonly exitCode: number | null
  /** The last lines of the log and of other output. */
  readonly lines: readonly string[]

  constructor(reason: string, exitCode: number | null, lines: readonly string[]) {
    const shown = lines.slice(-SHOWN_LINES).map((line) => `\n  ${line}`)
    super(`the cluster did not start: ${reason}${shown.join('')}`)
    this.name = 'ClusterStartError'
    this.reason = reason
    this.exitCode = exitCode
    this.lines = lines
  }
}
