/** The worker's messages to its primary on Node's IPC channel. */
import type { Logger } from 'pino'
import type { WorkerControl } from '../wire/control.ts'
import type { SendToPrimary } from './connections/index.ts'

export const sendToPrimary: SendToPrimary = (...args) => process.send?.(...args)

export function sendControl(logger: Logger, message: WorkerControl): void {
  sendToPrimary(message, undefined, undefined, (error) => {
    if (error !== null)
      logger.warn({ err: error, type: message.type }, 'a control message to the primary could not be sent')
  })
}

/** What the primary logs as the reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
