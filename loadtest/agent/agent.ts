/**
 * A client process of the fleet: does what the coordinator commands over IPC, and ends with it. A terminal's Ctrl-C reaches the
 * coordinator as well, which still wants its ledger: so it is passed over here.
 */
import { AgentCommand, type AgentReport } from '../model/agent-protocol.ts'
import { nowMs } from '../system/clock.ts'
import { type Begin, Crew } from './client-pool.ts'
import { Reporter } from './record/reporter.ts'

/** Sockets that will not close do not keep the process. */
const END_MS = 5_000

class Agent {
  #crew: Crew | undefined
  #reporter: Reporter | undefined

  async obey(command: AgentCommand): Promise<void> {
    if (command.type === 'begin') return this.#begin(command)
    if (command.type === 'end') return this.end()
    const crew = this.#crew
    if (crew === undefined) throw new Error(`${command.type} before begin`)
    if (command.type === 'connect') crew.connect(command.at)
    else if (command.type === 'load') crew.load(command)
    else if (command.type === 'cut') crew.cut(command)
    else if (command.type === 'leave') crew.leave(command)
    else if (command.type === 'slow') crew.slow(command.at)
    else if (command.type === 'revive') crew.revive(command.at)
    else if (command.type === 'settle') this.#settle(crew)
    else await this.#sendLedger(crew)
  }

  end(): void {
    this.#crew?.close()
    this.#reporter?.stop()
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_MS).unref()
    if (process.connected) process.disconnect()
  }

  #begin(command: Begin): void {
    this.#crew = new Crew(command, nowMs)
    this.#reporter = new Reporter(this.#crew.tally, nowMs, (second) => void tell(second))
    void tell({ type: 'ready' })
  }

  #settle(crew: Crew): void {
    crew.settle()
    const { owed, journal, tally } = crew
    void tell({ type: 'state', owed, joined: tally.joined, lastDeliveryAt: journal.lastDeliveryAt })
  }

  /** Part after part, each when the one before has gone. */
  async #sendLedger(crew: Crew): Promise<void> {
    crew.settle()
    crew.journal.close()
    crew.tally.unanswered(crew.unanswered)
    this.#reporter?.now()
    this.#reporter?.stop()
    for (const part of crew.journal.parts()) await tell(part)
  }
}

/** Resolves when it has gone, or can't: then the coordinator is gone, and `disconnect` follows. */
function tell(report: AgentReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(report, undefined, {}, () => resolve())
    else resolve()
  })
}

async function fail(error: unknown): Promise<void> {
  await tell({
    type: 'failed',
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
}

const agent = new Agent()
process.on('message', (message) => {
  const { data, error } = AgentCommand.safeParse(message)
  if (data === undefined) void fail(error)
  else agent.obey(data).catch(fail)
})
process.on('disconnect', () => agent.end())
process.on('SIGINT', () => undefined)
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => void fail(error))
