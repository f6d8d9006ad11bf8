/** What other folders may use of the supervisor. */
export { createSupervisor, type SupervisedParts, watchWorkers } from './create-supervisor.ts'
export type { Development } from './development.ts'
export { createFork } from './fork.ts'
export { HostState } from './host-state.ts'
export { handleSignals, type SignalHandler, type StopRequest } from './signal-handler.ts'
export type { Supervisor } from './supervisor.ts'
