/** What the worker may use of the application's side. */
export { ClusterTasks } from './cluster-tasks.ts'
export { clusterInfo } from './known-hosts.ts'
export { httpHandler } from './mounted.ts'
export { keepOwnParts } from './own-parts.ts'
export { checkPlacement } from './placement.ts'
export { type ChosenOptions, checkOptions, chooseOptions } from './server-options.ts'
export { StopHooks } from './stop-hooks.ts'
