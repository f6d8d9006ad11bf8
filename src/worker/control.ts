/** The worker's messages to its primary on Node's IPC channel. */
import { once } from 'node:events'
import type { Logger } from 'pino'
import { type WorkerBoot, type WorkerControl, workerBoot } from '../wire/control.ts'
import type { SendToPrimary } from './connections/index.ts'

export const sendToPrimary: SendToPrimary = (...args) => process.send?.(...args)

export function sendControl(logger: Logger, message: WorkerControl): void {
  sendToPrimary(message, undefined, undefined, (error) => {
    if (error !== null)
      logger.warn({ err: error, type: message.type }, 'a control message to the primary could not be sent')
  })
}

/** Asks the primary for the start parameters. */
export async function receiveBoot(): Promise<WorkerBoot> {
  const received = once(process, 'message')
  const hello: WorkerControl = { type: 'rookery:hello' }
  process.send?.(hello)
  const [message]: unknown[] = await received
  return workerBoot.parse(message)
}

/** What the primary logs as the reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
