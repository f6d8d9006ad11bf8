/** The admin listener with what this host has to show. */
import { type AdminListener, startAdmin } from '../../ops/admin.ts'
import type { Parts } from '../primary-parts.ts'
import { createMetricsView, workerStatus } from './status.ts'

export function openAdmin(parts: Parts): Promise<AdminListener> {
  const { config, logger, frontDoor, supervisor, state, backplane } = parts
  return startAdmin({
    host: config.adminHost,
    port: config.adminPort,
    logger,
    health: () =>
      supervisor.readyCount() > 0
        ? { ready: true }
        : { ready: false, reason: state.reason ?? 'no worker is ready' },
    metrics: createMetricsView(parts),
    status: async () => ({
      host: config.hostName,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
      degraded: state.reason,
      hosts: backplane.hosts(),
      assigned: frontDoor.counts(),
      workers: await workerStatus(parts),
    }),
  })
}
