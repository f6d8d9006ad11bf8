/**
 * Tells the primary of each connection that arrives, before anything of it is read or answered: until then the primary
 * keeps its own copy, which it may give to another worker should this one die. Must be called before `setupWorker`,
 * whose listener begins to serve the connection.
 */
import { handOverMessage, type WorkerControl } from '../wire/control.ts'

export function reportTakenHandles(send: (message: WorkerControl) => void): void {
  process.on('message', (message: unknown, handle: unknown) => {
    const handOver = handOverMessage.safeParse(message)
    if (!handOver.success) return
    const arrived = handle !== undefined && handle !== null
    send({ type: 'rookery:taken', id: handOver.data.id, arrived })
  })
}
