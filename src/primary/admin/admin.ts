/** Opens the admin listener: health, metrics and status of this host. */
import type { Config } from '../../config/schema.ts'
import { type AdminListener, startAdmin } from '../../ops/admin.ts'
import type { Backplane } from '../backplane/index.ts'
import { emitRoutes } from '../emitter/index.ts'
import type { FrontDoor } from '../front-door/index.ts'
import type { HostState } from '../supervisor/index.ts'
import { createMetricsView, type Observed, workerStatus } from './status.ts'

export interface AdminParts extends Observed {
  config: Config
  state: HostState
  backplane: Backplane
  frontDoor: FrontDoor
}

export function openAdmin(parts: AdminParts): Promise<AdminListener> {
  const { config, logger, frontDoor, supervisor, state, backplane, relay, registry } = parts
  return startAdmin({
    host: config.adminHost,
    port: config.adminPort,
    logger,
    health: () => {
      if (frontDoor.isStopping) return { ready: false, reason: 'the host is stopping' }
      if (supervisor.readyCount() > 0) return { ready: true }
      return { ready: false, reason: state.reason ?? 'no worker is ready' }
    },
    metrics: createMetricsView(parts),
    emit: emitRoutes({
      token: config.emitToken,
      relay,
      backplane,
      logger,
      registry,
      now: () => performance.now(),
    }),
    status: async () => ({
      host: config.hostName,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
      degraded: state.reason,
      hosts: backplane.hosts(),
      assigned: frontDoor.counts(),
      reload: supervisor.reloadState,
      workers: await workerStatus(parts),
    }),
  })
}
