/** Limits as an application sees them: each connection has a name, under which the primary counts it until it has ended. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Limits } from '../wire/app.ts'
import type { Link } from './link/link.ts'
import { Untold } from './rooms/retry-queue.ts'

export interface LimitsOptions {
  link: Pick<Link, 'request'>
  config: { readonly connectionsPerUser: number }
  logger: Logger
  registry: Registry
}

export function createLimits({ link, config, logger, registry }: LimitsOptions): Limits {
  const takePage = async (userId: string) => {
    await link.request('page.take', { userId })
  }
  if (config.connectionsPerUser === 0)
    return { admitConnection: () => Promise.resolve(() => undefined), takePage }
  const leaves = new Untold<{ userId: string; connectionId: string }>({
    tell: (connection) => link.request('connection.leave', connection),
    part: 'connections',
    logger,
    registry,
  })
  let named = 0
  return {
    admitConnection: async (userId) => {
      named += 1
      const connection = { userId, connectionId: String(named) }
      let counted = true
      const end = () => {
        if (counted) leaves.tell(connection)
        counted = false
      }
      try {
        await link.request('connection.enter', connection)
      } catch (error) {
        // It may have been counted all the same, if only the answer was lost.
        end()
        throw error
      }
      return end
    },
    takePage,
  }
}
