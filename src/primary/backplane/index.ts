/** What other folders may use of the backplane. */
export { type Backplane, type HostChange, singleHostBackplane } from './backplane.ts'
export { RedisBackplane } from './redis-backplane.ts'
export { sharedSecret } from './shared-secret.ts'
