/**
 * A client process of the fleet: does what the coordinator commands over IPC, and ends with it. It ignores
 * Ctrl-C of the terminal, because the coordinator gets it too and still needs the delivery records.
 */
import { AgentCommand, type AgentReport } from '../model/agent-protocol.ts'
import { nowMs } from '../system/clock.ts'
import { type Begin, ClientPool } from './client-pool.ts'
import { Reporter } from './record/reporter.ts'

/** Exit even if sockets do not close. */
const END_MS = 5_000

class Agent {
  #pool: ClientPool | undefined
  #reporter: Reporter | undefined

  async handle(command: AgentCommand): Promise<void> {
    if (command.type === 'begin') return this.#begin(command)
    if (command.type === 'end') return this.end()
    const pool = this.#pool
    if (pool === undefined) throw new Error(`${command.type} before begin`)
    if (command.type === 'connect') pool.connect(command.at)
    else if (command.type === 'load') pool.load(command)
    else if (command.type === 'cut') pool.cut(command)
    else if (command.type === 'leave') pool.leave(command)
    else if (command.type === 'slow') pool.slow(command.at)
    else if (command.type === 'trackRecovery') pool.trackRecovery(command.at)
    else if (command.type === 'settle') this.#settle(pool)
    else await this.#sendRecords(pool)
  }

  end(): void {
    this.#pool?.close()
    this.#reporter?.stop()
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_MS).unref()
    if (process.connected) process.disconnect()
  }

  #begin(command: Begin): void {
    this.#pool = new ClientPool(command, nowMs)
    this.#reporter = new Reporter(this.#pool.counters, nowMs, (second) => void send(second))
    void send({ type: 'ready' })
  }

  #settle(pool: ClientPool): void {
    pool.settle()
    const { outstanding, recorder, counters } = pool
    void send({
      type: 'state',
      outstanding,
      joined: counters.joined,
      lastDeliveryAt: recorder.lastDeliveryAt,
    })
  }

  /** Sends one part after the other. */
  async #sendRecords(pool: ClientPool): Promise<void> {
    pool.settle()
    pool.recorder.close()
    pool.counters.unanswered(pool.unanswered)
    this.#reporter?.now()
    this.#reporter?.stop()
    for (const part of pool.recorder.parts()) await send(part)
  }
}

/** Resolves when it was sent, or can't be: then the coordinator is gone, and `disconnect` follows. */
function send(report: AgentReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(report, undefined, {}, () => resolve())
    else resolve()
  })
}

async function fail(error: unknown): Promise<void> {
  await send({
    type: 'failed',
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
}

const agent = new Agent()
process.on('message', (message) => {
  const { data, error } = AgentCommand.safeParse(message)
  if (data === undefined) void fail(error)
  else agent.handle(data).catch(fail)
})
process.on('disconnect', () => agent.end())
process.on('SIGINT', () => undefined)
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => void fail(error))
