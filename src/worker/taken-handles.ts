/**
 * Tells the primary of each connection that arrives, before anything of it is read or answered: until then the primary
 * keeps its own copy, which it may give to another worker should this one die. Must be called before `setupWorker`,
 * whose listener begins to serve the connection.
 */
import type { WorkerControl } from '../wire/control.ts'

export function reportTakenHandles(send: (message: WorkerControl) => void): void {
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null) return
    if (Reflect.get(message, 'type') === 'sticky:connection') send({ type: 'rookery:taken', count: 1 })
  })
}
