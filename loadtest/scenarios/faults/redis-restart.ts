import type { Scenario } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, noneDropped } from '../checks.ts'
import { DEFAULTS } from '../clients.ts'
import { outagePlan } from '../outage-plan.ts'

export const redisRestart: Scenario = {
  name: 'redis-restart',
  title: 'Redis is killed under load, and starts again from its disk after a tenth of the run',
  invariant: 'Connections stay open, no acked message is lost, and delivery resumes by itself',
  defaults: { ...DEFAULTS, clients: 200, ratePerSec: 40, durationSec: 40 },
  needs: ['kill-redis', 'start-redis'],
  minHosts: 2,
  minWorkers: 1,
  plan: (settings) =>
    outagePlan(settings, { kill: 'kill-redis', start: 'start-redis', from: 0.3, to: 0.4, which: () => 0 }),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
