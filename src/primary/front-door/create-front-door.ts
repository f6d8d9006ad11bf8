/** Creates the front door from the settings. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from '../../config/schema.ts'
import type { ForwardingOptions } from '../forward/index.ts'
import { FrontDoor, frontDoorLimits } from './front-door.ts'

export interface HostFrontDoorOptions {
  config: Config
  /** Undefined if the host works alone. */
  forwarding: ForwardingOptions | undefined
  /** Why no worker is ready, if known. */
  waitingFor: () => string | null
  logger: Logger
  registry: Registry
}

export function createFrontDoor({ config, ...options }: HostFrontDoorOptions): FrontDoor {
  return new FrontDoor({
    ...options,
    responses: {},
    slots: config.workers,
    proxyProtocolFrom: config.proxyProtocolFrom,
    cors:
      config.corsOrigin === undefined
        ? undefined
        : { origin: config.corsOrigin, credentials: config.corsCredentials },
    now: () => performance.now(),
    limits: {
      ...frontDoorLimits,
      headBytes: config.headMaxBytes,
      headTimeoutMs: config.headTimeoutMs,
      pendingHeads: config.pendingHeads,
      queueLength: config.handoffQueue,
      queueTimeoutMs: config.handoffTimeoutMs,
      admissionPerSecond: config.admissionRate,
      backlog: config.backlog,
    },
  })
}
