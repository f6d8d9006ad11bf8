/** `rookery/testing`: a real cluster on a free port, for the tests of an application. */
export { startCluster, type TestCluster } from './cluster.ts'
export { type ClusterOptions, ClusterStartError } from './cluster-options.ts'
export type { LogLine, ReadyWorker } from './host-output.ts'
