/** One process of a target's servers. */
export type ServerRole = 'primary' | 'worker' | 'redis' | 'balancer'

export interface ServerProcess {
  pid: number
  role: ServerRole
  host: number
}
