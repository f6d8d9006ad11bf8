/** This project: one host with its embedded log, or several hosts with their own Redis. */
import { randomUUID } from 'node:crypto'
import { UNLIMITED_RATES } from '../../test/harness/cluster/cluster.ts'
import type { RunningTarget, Target, TargetOptions } from '../model/target.ts'
import { inPackage } from '../system/package-root.ts'
import { reloadFault, workerFaults } from './faults.ts'
import { RookeryServer } from './rookery-server.ts'
import { type HostConfig, startCluster } from './start-cluster.ts'

/**
 * Limits against abuse that the few addresses and users of a load test would reach. All other settings keep
 * their defaults.
 */
const LIFTED_LIMITS = {
  ...UNLIMITED_RATES,
  ADMISSION_RATE: '0',
  CONNECTIONS_PER_USER: '0',
  ROOMS_PER_SOCKET: '100000',
}

export const rookery: Target = {
  name: 'rookery',
  title:
    'Rookery: one host with its embedded log, or several with their own redis-server (appendfsync always, or as REDIS_APPENDFSYNC says); limits on rates, admission, rooms and connections per user lifted',
  dialects: ['chat', 'bench'],
  defaultShape: { hosts: 1, workersPerHost: 2 },
  limits: { hosts: 16, workersPerHost: 64 },
  start,
}

function start(options: TargetOptions): Promise<RunningTarget> {
  const { hosts: count, workersPerHost } = options.shape
  const secret = `${randomUUID()}${randomUUID()}`
  return startCluster({
    options,
    appendfsync: count > 1 ? 'always' : undefined,
    startServer: (host) =>
      RookeryServer.start({
        url: host.url,
        workers: workersPerHost,
        args: options.dialect === 'bench' ? ['--app', inPackage('loadtest/apps/bench.js')] : [],
        env: environmentOf(host, secret),
      }),
    faults: (hosts) => ({ ...workerFaults(hosts, workersPerHost), ...reloadFault(hosts) }),
  })
}

function environmentOf(
  { index, address, port, directory, env }: HostConfig,
  secret: string,
): Record<string, string> {
  return {
    ...LIFTED_LIMITS,
    CLUSTER_SECRET: secret,
    ...env,
    HOST: address,
    ADVERTISE_HOST: address,
    PORT: String(port),
    HOST_NAME: `host-${index + 1}`,
    DATA_DIR: directory,
  }
}
