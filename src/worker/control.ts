/** The worker's messages to its primary on Node's IPC channel. */
import { once } from 'node:events'
import type { Logger } from 'pino'
import { withTimeout } from '../core/with-timeout.ts'
import { type WorkerBoot, type WorkerControl, workerBoot } from '../wire/control.ts'
import type { SendToPrimary } from './connections/index.ts'
import { linkLimits } from './link/index.ts'

export const sendToPrimary: SendToPrimary = (...args) => process.send?.(...args)

export function sendControl(logger: Logger, message: WorkerControl): void {
  sendToPrimary(message, undefined, undefined, (error) => {
    if (error !== null)
      logger.warn({ err: error, type: message.type }, 'a control message to the primary could not be sent')
  })
}

/** A primary that is frozen answers neither this nor the link. */
const BOOT_MS = linkLimits.welcomeTimeoutMs

/** Asks the primary for the start parameters. @throws when it does not answer */
export async function receiveBoot(): Promise<WorkerBoot> {
  const received: Promise<unknown[]> = once(process, 'message')
  const hello: WorkerControl = { type: 'rookery:hello' }
  process.send?.(hello)
  const [message] = await withTimeout(BOOT_MS, received, () => {
    throw new Error(`the primary has sent no start parameters within ${BOOT_MS} ms`)
  })
  return workerBoot.parse(message)
}

/** What the primary logs as the reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
