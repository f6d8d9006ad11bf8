/**
 * One client process, seen from the coordinator: sends commands, checks reports, and reports its failure with
 * the last lines of its stderr.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import {
  type AgentCommand,
  type AgentRecords,
  AgentReport,
  type AgentSecond,
} from '../model/agent-protocol.ts'
import { inPackage } from '../system/package-root.ts'

/** The compiled file: Node.js runs no TypeScript. */
const AGENT = inPackage('dist/tools/loadtest/agent/agent.js')
const MAX_STDERR_LINES = 20
/** Time for a process to exit on its own. */
const END_MS = 2_000

type State = Extract<AgentReport, { type: 'state' }>

export interface AgentEvents {
  ready(): void
  second(second: AgentSecond): void
  state(state: State): void
  records(part: AgentRecords): void
  /** The process can no longer be used. At most once, and not after `end`. */
  failed(reason: string): void
}

export class AgentProcess {
  readonly number: number
  readonly #child: ChildProcess
  readonly #events: AgentEvents
  readonly #stderrLines: string[] = []
  readonly #exited: Promise<void>
  #isOver = false

  constructor(number: number, events: AgentEvents) {
    this.number = number
    this.#events = events
    const { NODE_OPTIONS: _, ...env } = process.env
    this.#child = fork(AGENT, [], {
      execArgv: ['--enable-source-maps'],
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // All of its stderr arrives before `close`.
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#failed(`exited with ${signal ?? `code ${code}`}`)
        resolve()
      })
      this.#child.once('error', (error) => {
        this.#failed(error.message)
        if (this.#child.pid === undefined) resolve()
      })
    })
    this.#child.on('message', (message) => this.#take(message))
    if (this.#child.stderr !== null)
      createInterface({ input: this.#child.stderr }).on('line', (line) => this.#keep(line))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  send(command: AgentCommand): void {
    if (this.#isOver) return
    this.#child.send(command, (error) => {
      if (error !== null) this.#failed(`did not accept ${command.type}: ${error.message}`)
    })
  }

  /** Immediately. */
  kill(): void {
    this.#isOver = true
    if (this.#isRunning) this.#child.kill('SIGKILL')
  }

  /** Gracefully if possible, else by force. */
  async end(): Promise<void> {
    this.send({ type: 'end' })
    this.#isOver = true
    const force = setTimeout(() => this.kill(), END_MS)
    await this.#exited
    clearTimeout(force)
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  #take(message: unknown): void {
    const { data: report, error } = AgentReport.safeParse(message)
    if (report === undefined) this.#failed(`sent an invalid report: ${error.message}`)
    else if (report.type === 'failed') this.#failed(report.reason)
    else if (report.type === 'ready') this.#events.ready()
    else if (report.type === 'second') this.#events.second(report)
    else if (report.type === 'state') this.#events.state(report)
    else this.#events.records(report)
  }

  #keep(line: string): void {
    this.#stderrLines.push(line)
    if (this.#stderrLines.length > MAX_STDERR_LINES) this.#stderrLines.shift()
  }

  #failed(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.failed(
      [`client process ${this.number} (${this.pid}): ${reason}`, ...this.#stderrLines].join('\n'),
    )
  }
}
