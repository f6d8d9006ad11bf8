/** Forks workers and validates their messages on Node's IPC channel. */
import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { HostClock } from '../../core/host-clock.ts'
import { workerTag } from '../../core/session-id.ts'
import { type WorkerBoot, workerControl } from '../../wire/control.ts'
import type { ControlListener, ForkedWorker } from './worker-process.ts'

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url))

export interface ForkOptions {
  hostTag: string
  boot: Omit<WorkerBoot, 'type' | 'name' | 'tag' | 'clock'>
  /** Names in the environment that workers don't inherit. */
  hidden: readonly string[]
  clock: Pick<HostClock, 'state'>
  registry: Registry
}

/** @returns a function that forks worker number `number` */
export function createFork({
  hostTag,
  boot,
  hidden,
  clock,
  registry,
}: ForkOptions): (number: number) => ForkedWorker {
  // Sticky's messages carry Buffers, which Node's default serialization mangles.
  // Not process.argv[1]: under a process manager that is the manager's own program.
  cluster.setupPrimary({ exec: MAIN, args: [], serialization: 'advanced' })
  const unknown = new Counter({
    name: 'rookery_unknown_control_messages_total',
    help: "Messages from workers on Node's IPC channel that are not Rookery's",
    registers: [registry],
  })
  const env = { ROOKERY_WORKER: 'yes', ...Object.fromEntries(hidden.map((name) => [name, undefined])) }
  return (number) => {
    const name = `w${number}`
    const tag = workerTag(hostTag, number)
    return {
      name,
      tag,
      process: cluster.fork(env),
      boot: () => ({ type: 'rookery:boot', ...boot, name, tag, clock: clock.state }),
      onControl(listener) {
        listen(this.process, listener, unknown)
      },
    }
  }
}

function listen(process: Worker, listener: ControlListener, unknown: Counter): void {
  process.on('message', (message: unknown, handle: unknown) => {
    const control = workerControl.safeParse(message)
    if (control.success) listener(control.data, handle)
    else unknown.inc()
  })
}
