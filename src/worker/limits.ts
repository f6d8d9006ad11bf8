/**
 * Limits as an application sees them. The primary counts each connection under an id until the connection
 * ends.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Limits } from '../wire/app.ts'
import { type Link, RetryQueue } from './link/index.ts'

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
  const leaves = new RetryQueue<{ userId: string; connectionId: string }>({
    send: (connection) => link.request('connection.leave', connection),
    part: 'connections',
    logger,
    registry,
  })
  let lastId = 0
  return {
    admitConnection: async (userId) => {
      lastId += 1
      const connection = { userId, connectionId: String(lastId) }
      let counted = true
      const end = () => {
        if (counted) leaves.send(connection)
        counted = false
      }
      try {
        await link.request('connection.enter', connection)
      } catch (error) {
        // The primary may have counted it, and only the reply was lost.
        end()
        throw error
      }
      return end
    },
    takePage,
  }
}
