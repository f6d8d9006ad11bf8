/** What other folders may use of the ways from outside the cluster. */
export { emitRoutes } from './emit-routes.ts'
export { admitRedisEmitters } from './redis-emitter.ts'
